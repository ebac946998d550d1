//! Scalars of the inventory that are text in YAML and more than text to us.

use std::borrow::Cow;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use crate::model::{ByteSize, Eui, Period};

/// Makes a scalar that is parsed from text, with its words and pattern for the JSON Schema.
macro_rules! text_scalar {
    ($(#[$doc:meta])* $name:ident($inner:ty), $title:literal, $pattern:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name(pub $inner);

        impl Deref for $name {
            type Target = $inner;

            fn deref(&self) -> &$inner {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map($name).map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": ["string", "integer", "number"], "description": $title, "pattern": $pattern })
            }
        }
    };
}

text_scalar!(
    /// An EUI-64.
    EuiText(Eui), "EUI-64: 16 hex digits, dashes and colons allowed", "^([0-9A-Fa-f]{2}[-: ]?){7}[0-9A-Fa-f]{2}$"
);
text_scalar!(
    /// A duration with its unit.
    PeriodText(Period), "Duration with unit, such as 30s, 10m, 24h, 7d, 1y", "^[0-9]+ ?(s|m|min|h|d|w|y)$"
);
text_scalar!(
    /// A size with its unit.
    ByteSizeText(ByteSize), "Size with unit, such as 16 MiB", "^[0-9]+ ?(B|kB|KiB|MB|MiB|GB|GiB)$"
);
text_scalar!(
    /// Accepted versions.
    VersionRange(semver::VersionReq), "Accepted versions, such as >=6.0.1, <7", "^[<>=~^0-9*].*$"
);

/// The name of a secret. The secret itself is never written in the inventory's YAML.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretRef {
    /// Its path in the secrets, such as `gateways/pool-gw/admin`.
    pub secret: String,
}
