"""What is written on the sample scans, and how each was scanned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.authoring.scan_files import Colours
from pipeline.template import FormTemplate


@dataclass(frozen=True, slots=True)
class Scan:
    """One filled page. All that is written is invented."""

    document: str
    seed: int
    """Fixes the hand, and whatever else is left to chance."""
    fields: tuple[str, ...]
    """One for each field of the template, as in `raw`."""
    words: tuple[str, ...]
    """One for each line of the form."""
    ink: str
    colours: Colours
    dpi: int
    strengths: Mapping[str, float]

    def texts(self, template: FormTemplate) -> dict[str, str]:
        """Give what stands in each field, by its name."""
        names = [field.name for field in template.fields]
        return dict(zip(names, self.fields, strict=True))


def _scan(document: str, seed: int, fields: str, words: str, how: str) -> Scan:
    """Read a scan: fields parted by spaces, words by `/`, and how it was scanned.

    The last is ink, colours, dpi, then degradations as `name:strength`.
    """
    ink, colours, dpi, *steps = how.split()
    pairs = [step.split(":") for step in steps]
    strengths = {name: float(strength) for name, strength in pairs}
    return Scan(
        document,
        seed,
        tuple(fields.split()),
        tuple(words.split("/")),
        ink,
        colours,  # type: ignore[arg-type]
        int(dpi),
        strengths,
    )


SCANS: Mapping[str, tuple[Scan, ...]] = {
    "admission-form": (
        _scan(
            "admission-form-1.jpg",
            101,
            "26004817 14032008 560034 9845012773 087 091 078 256",
            "MEERA KULKARNI/SUNIL KULKARNI/14 GANDHI ROAD/BASAVANAGUDI BENGALURU/BENGALURU",
            "blue grey 300 skew:0.4 shift:0.6 blur:0.7 paper:0.6 shadow:0.3 specks:0.2 noise:0.4",
        ),
        _scan(
            "admission-form-2.jpg",
            102,
            "26013950 29112007 411038 7720946185 _64 _59 _83 206",
            "ROHAN DESHPANDE/ANITA DESHPANDE/FLAT 6 HILL VIEW/KOTHRUD PUNE/PUNE",
            "navy colour 200 skew:0.9 shift:1 blur:0.6 paper:0.8 shadow:0.5 specks:0.3 noise:0.4",
        ),
        _scan(
            "admission-form-3.jpg",
            103,
            "26027364 03072008 695014 9061738245 100 096 089 285",
            "LAKSHMI NAIR/GOPAL NAIR/HOUSE 27 TEMPLE LANE/TRIVANDRUM/TRIVANDRUM",
            "black grey 150 skew:0.5 shift:0.8 blur:0.9 paper:0.5 shadow:0.6 specks:0.2 noise:0.6",
        ),
        _scan(
            "admission-form-4.png",
            104,
            "26031186 21052007 700029 8335590714 X72 068 075 215",
            "ARNAB SENGUPTA/MITA SENGUPTA/9 LAKE TERRACE/KOLKATA/KOLKATA",
            "black grey16 150 skew:0.7 shift:0.5 blur:0.6 paper:0.4 shadow:0.2 noise:0.2",
        ),
        _scan(
            "admission-form-5.tif",
            105,
            "26045572 18092008 302017 9414206837 093 088 097 278",
            "PRIYA RATHORE/VIKRAM RATHORE/52 STATION ROAD/JAIPUR/JAIPUR",
            "gel bilevel 300 skew:0.6 shift:0.7 blur:0.8 paper:0.5 specks:0.3 noise:0.8",
        ),
        _scan(
            "admission-form-6.pdf",
            106,
            "26058029 07012008 110067 8800415396 056 071 064 191",
            "IMRAN QURESHI/FARAH QURESHI/3 GARDEN COLONY/NEW DELHI/DELHI",
            "pencil grey 200 skew:0.8 shift:0.9 blur:0.6 paper:0.7 shadow:0.7 specks:0.3 noise:0.4",
        ),
    ),
    "bank-cheque": (
        _scan(
            "bank-cheque-1.jpg",
            201,
            "07042026 00012500 004817",
            "MEERA KULKARNI/TWELVE THOUSAND FIVE/HUNDRED ONLY",
            "blue colour 300 bed:0.6 skew:0.5 blur:0.7 paper:0.6 shadow:0.2 specks:0.2 noise:0.4",
        ),
        _scan(
            "bank-cheque-2.jpg",
            202,
            "23112025 ___46980 013952",
            "CITY BOOK HOUSE/FORTY SIX THOUSAND NINE/HUNDRED EIGHTY ONLY",
            "black colour 200 bed:0.8 skew:0.9 blur:0.5 paper:0.8 shadow:0.4 specks:0.3 noise:0.4",
        ),
        _scan(
            "bank-cheque-3.jpg",
            203,
            "15082026 00307150 027361",
            "GREEN FIELDS DAIRY/THREE LAKH SEVEN THOUSAND/ONE HUNDRED FIFTY ONLY",
            "navy grey 200 bed:0.5 skew:0.6 blur:0.8 paper:0.6 shadow:0.5 noise:0.6",
        ),
        _scan(
            "bank-cheque-4.jpg",
            204,
            "30062026 XX083629 031184",
            "HARBOUR ELECTRICALS/EIGHTY THREE THOUSAND/SIX HUNDRED TWENTY NINE",
            "blue colour 150 bed:0.7 skew:0.7 blur:0.6 paper:0.7 shadow:0.3 specks:0.2 noise:0.5",
        ),
        _scan(
            "bank-cheque-5.png",
            205,
            "19012026 00005470 045573",
            "DR S IYER/FIVE THOUSAND FOUR/HUNDRED SEVENTY ONLY",
            "gel grey16 200 bed:0.9 skew:0.8 blur:0.6 paper:0.4 shadow:0.2 noise:0.2",
        ),
        _scan(
            "bank-cheque-6.tif",
            206,
            "02102025 00098214 058026",
            "NORTH STAR TRAVELS/NINETY EIGHT THOUSAND TWO/HUNDRED FOURTEEN ONLY",
            "navy colour 200 bed:0.4 skew:1 blur:0.6 paper:0.7 shadow:0.6 specks:0.3 noise:0.4",
        ),
    ),
    "postal-card": (
        _scan(
            "postal-card-1.jpg",
            301,
            "560034",
            "SMT K BHAT/22 MARKET ROAD/BENGALURU/KARNATAKA/DEAR AUNT/WE REACHED SAFELY/LOVE TO ALL",
            "blue colour 300 skew:0.5 shift:0.8 blur:0.7 paper:0.6 shadow:0.3 specks:0.3 noise:0.4",
        ),
        _scan(
            "postal-card-2.jpg",
            302,
            "411_38",
            "SHRI A JOSHI/7 RIVER BANK LANE/PUNE/MAHARASHTRA/DEAR SIR/PLEASE SEND/YOUR PRICE LIST",
            "black colour 200 bed:0.5 skew:0.8 blur:0.6 paper:0.8 shadow:0.5 specks:0.3 noise:0.4",
        ),
        _scan(
            "postal-card-3.jpg",
            303,
            "695014",
            "THE EDITOR/MORNING POST/TRIVANDRUM/KERALA/ANSWER TO QUIZ/NUMBER 48/THE BANYAN TREE",
            "navy colour 150 skew:0.7 shift:1 blur:0.7 paper:0.7 shadow:0.4 noise:0.5",
        ),
        _scan(
            "postal-card-4.jpg",
            304,
            "70X029",
            "MRS R GHOSH/18 PARK CIRCLE/KOLKATA/WEST BENGAL/HAPPY BIRTHDAY/FROM ALL OF US/IN DELHI",
            "blue grey 200 bed:0.7 skew:0.9 blur:0.8 paper:0.6 shadow:0.6 specks:0.2 noise:0.6",
        ),
        _scan(
            "postal-card-5.png",
            305,
            "302017",
            "MR T SINGH/41 FORT ROAD/JAIPUR/RAJASTHAN/RECEIVED WITH/THANKS YOUR/PARCEL OF BOOKS",
            "pencil grey16 200 skew:0.6 shift:0.7 blur:0.6 paper:0.4 shadow:0.2 noise:0.2",
        ),
        _scan(
            "postal-card-6.tif",
            306,
            "781826",
            "MISS D BORAH/COLLEGE ROAD/GUWAHATI/ASSAM/MEETING AT NINE/ON MONDAY/BRING THE MAPS",
            "gel colour 200 skew:1 shift:0.6 blur:0.6 paper:0.7 shadow:0.5 specks:0.3 noise:0.4",
        ),
    ),
}
"""The six scans of each form."""
