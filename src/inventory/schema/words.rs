//! Words on keys whose forms are written by hand, for editors.

use serde_json::Value;

/// A definition, a key of one of its forms, and its words.
const WORDS: &[(&str, &str, &str)] = &[
    ("Destination", "extension", "The extension that rings, by number."),
    ("Destination", "ring_group", "The ring group that rings, by number."),
    ("Destination", "queue", "The queue the caller waits in, by number."),
    ("Destination", "ivr", "The IVR that speaks, by number."),
    ("Destination", "voicemail", "The extension whose mailbox takes a message, by number."),
    ("Destination", "external", "A number of the public network, such as `+33611223344`."),
    ("Prompt", "on_pbx", "The name of a file that is on the PBX already."),
    (
        "BlfKey",
        "key",
        "The key's place on the phone; the next one when absent. The first key is the line's own.",
    ),
    ("BlfKey", "watch", "The extension whose state it shows, by number."),
    ("BlfKey", "speed_dial", "The number it dials."),
    ("BlfKey", "custom", "The number it dials, shown with a name of its own."),
    ("BlfKey", "first_name", "The first name that is shown."),
    ("BlfKey", "last_name", "The last name that is shown."),
    ("BlfKey", "parking", "The parking place it parks calls on, such as `SP1`."),
    ("BlfKey", "queue_login", "It logs the agent in to queues and out."),
    ("BlfKey", "profile", "The status it switches to."),
    ("BlfKey", "line", "It is a line."),
    ("Caller", "group", "The contacts of this `group`."),
    ("Caller", "contact", "The contact of this name."),
    ("Matching", "last", "So many digits at the end are the same."),
];

/// Puts the words on those keys that have none.
pub(super) fn put(schema: &mut Value) {
    for (definition, key, words) in WORDS {
        let forms = schema.pointer_mut(&format!("/$defs/{definition}/oneOf")).and_then(Value::as_array_mut);
        for form in forms.into_iter().flatten() {
            let own = form.get_mut("properties").and_then(|properties| properties.get_mut(*key));
            if let Some(Value::Object(own)) = own {
                own.entry("description").or_insert_with(|| (*words).into());
            }
        }
    }
}
