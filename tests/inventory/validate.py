"""Validates YAML files with a validator of another maker: `validate.py SCHEMA FILE...`, one answer a line."""

import json
import sys

import jsonschema
import yaml


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as schema:
        validator = jsonschema.Draft202012Validator(json.load(schema))
    validator.check_schema(validator.schema)
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as text:
            try:
                inventory = yaml.safe_load(text)
            except yaml.YAMLError:
                print("unreadable", path)
                continue
        print("accepted" if validator.is_valid(inventory) else "refused", path)


main()
