#!/usr/bin/python3
"""Turns the origin's "Online Retail" archive (a workbook in a zip) into CSV on stdout.

    scripts/retail_xlsx_to_csv.py online+retail.zip > online_retail.csv

A workbook says "a number" where the shop meant a code: invoice 536365 and stock code 71053 are
numeric cells, C536379 and 85123A are text. Each column below says what its values are, whatever
the cell's type, so that the CSV comes out the same.
"""

import csv
import datetime
import sys
import zipfile

import openpyxl

WORKBOOK = "Online Retail.xlsx"


def code(cell):
    """A code or a text: a number in it is a whole one."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def whole_number(cell):
    return str(int(cell))


def price(cell):
    return repr(float(cell))


def date(cell):
    if isinstance(cell, str):
        cell = datetime.datetime.fromisoformat(cell)
    # Days as a binary fraction come out some microseconds beside the second.
    nearest = cell + datetime.timedelta(microseconds=500_000)
    return nearest.strftime("%Y-%m-%d %H:%M:%S")


def customer(cell):
    """Some lines have no customer; the others carry the ".0" that the CSV is known with."""
    return "" if cell in (None, "") else repr(float(cell))


COLUMNS = {
    "InvoiceNo": code,
    "StockCode": code,
    "Description": code,
    "Quantity": whole_number,
    "InvoiceDate": date,
    "UnitPrice": price,
    "CustomerID": customer,
    "Country": code,
}


def convert(archive_path, out):
    with zipfile.ZipFile(archive_path) as archive, archive.open(WORKBOOK) as member:
        sheet = openpyxl.load_workbook(member, read_only=True).worksheets[0]
        rows = sheet.iter_rows(values_only=True)
        header = next(rows, ())
        if list(header[: len(COLUMNS)]) != list(COLUMNS):
            raise ValueError(f"the columns are {header}, not {list(COLUMNS)}")
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        converters = list(COLUMNS.values())
        for row in rows:
            # A row's empty cells at the end may be left out; rows of nothing end the sheet.
            if any(cell is not None for cell in row):
                cells = list(row) + [None] * (len(converters) - len(row))
                writer.writerow([to_text(cell) for to_text, cell in zip(converters, cells)])


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    sys.stdout.reconfigure(encoding="utf-8", newline="")
    try:
        convert(sys.argv[1], sys.stdout)
    except Exception as error:  # whatever is wrong with it, the archive is not the one we know
        print(f"{sys.argv[1]}: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
