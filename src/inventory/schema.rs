//! The JSON Schema of an inventory file and of a playbook, for editors and for validators of other makers.
//!
//! It says the same as the decoder, as far as JSON Schema can; what holds between values is `lint`'s.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::Value;

use super::Inventory;

mod words;

/// The schema, draft 2020-12.
pub fn schema() -> Value {
    of::<Inventory>("rocade inventory")
}

/// The schema of a playbook.
pub fn playbook_schema() -> Value {
    of::<super::playbook::Playbook>("rocade playbook")
}

fn of<T: schemars::JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(without_null));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".into(), title.into());
    let mut schema = schema.to_value();
    words::put(&mut schema);
    schema
}

/// Names of entries, as the decoder takes them.
pub(super) fn named(schema: &mut Schema) {
    let names = serde_json::json!({ "pattern": "^[a-z0-9][a-z0-9.-]*$", "maxLength": 63 });
    schema.insert("propertyNames".into(), names);
}

/// A key without a value is refused, so an optional one is no `null` either.
fn without_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(mut choices)) = object.remove("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
        match choices.as_slice() {
            [Value::Object(only)] => object.extend(only.clone()),
            _ => {
                object.insert("anyOf".into(), Value::Array(choices));
            }
        }
    }
}
