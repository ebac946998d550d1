//! How the forms that have several spellings are read of who calls: a number or contacts, and how a number is
//! matched.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::super::decode::{Decode, Decoder, Keys, raw};
use super::super::pbx::{Caller, Matching, Phonebook};
use super::super::tree::{Body, Node};

impl Decode for Caller {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let Body::Map(_) = &node.body else {
            return String::decode(node, decoder).map(Self::Number);
        };
        let keys = Keys::open(node, &[&["group", "contact"]], decoder)?;
        let group: Option<String> = keys.take("group", decoder)?;
        let contact: Option<String> = keys.take("contact", decoder)?;
        match (group, contact) {
            (Some(group), None) => Some(Self::Group(group)),
            (None, Some(contact)) => Some(Self::Contact(contact)),
            _ => {
                let help = "write `{group: NAME}` or `{contact: NAME}`";
                decoder.refuse("bad-caller", node, "callers are one group or one contact", help);
                None
            }
        }
    }
}

impl Decode for Phonebook {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let keys = Keys::open(node, &[&["match"]], decoder)?;
        Some(Self { matching: keys.need("match", decoder)? })
    }
}

/// The fewest digits that are compared: with fewer, numbers inside the house meet those outside.
const FEWEST: u8 = 5;
const MOST: u8 = 15;

impl Decode for Matching {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let help = "write `exact`, `{last: 8}` or `none`";
        if let Body::Map(_) = &node.body {
            let last: u8 = Keys::open(node, &[&["last"]], decoder)?.need("last", decoder)?;
            if !(FEWEST..=MOST).contains(&last) {
                let message = format!("{last} is not from {FEWEST} to {MOST} digits");
                decoder.refuse("out-of-range", node, message, "");
                return None;
            }
            return Some(Self::Last(last));
        }
        match raw(node, decoder, "`exact`, `none` or `{last: 8}`")? {
            "none" => Some(Self::None),
            "exact" => Some(Self::Exact),
            word => {
                decoder.refuse("unknown-value", node, format!("unknown value `{word}`"), help);
                None
            }
        }
    }
}

impl JsonSchema for Caller {
    fn schema_name() -> Cow<'static, str> {
        "Caller".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = |key: &str| {
            serde_json::json!({
                "type": "object", "additionalProperties": false, "required": [key],
                "properties": { key: { "type": "string" } }
            })
        };
        json_schema!({
            "description": "Who calls: a number, its beginning with `*` behind, a group of contacts, or a contact.",
            "oneOf": [{ "type": "string" }, one("group"), one("contact")]
        })
    }
}

impl JsonSchema for Matching {
    fn schema_name() -> Cow<'static, str> {
        "Matching".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How a caller's number is found: all digits the same, the last ones, or not at all.",
            "oneOf": [
                { "enum": ["exact", "none"] },
                {
                    "type": "object", "additionalProperties": false, "required": ["last"],
                    "properties": { "last": { "type": "integer", "minimum": FEWEST, "maximum": MOST } }
                }
            ]
        })
    }
}
