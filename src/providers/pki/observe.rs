//! What stands under `pki/` and among the secrets. Opens nothing; a damaged file is unread, never absent.

use crate::model::{Fields, Key, Observed, Value, Wish};
use crate::pki::{Share, leaf_certificate, leaf_has_key, root_certificate};

use super::{AUTHORITY, CERTIFICATE, PkiProvider, SECRET};

impl PkiProvider {
    /// Reads all that is wished.
    pub(super) fn read(&self, wish: &Wish) -> Observed {
        let mut observed = Observed::new(wish.target.clone());
        for (key, resource) in &wish.resources {
            let read = match key.collection.as_str() {
                AUTHORITY => self.read_root(&mut observed.title),
                CERTIFICATE => self.read_leaf(key, &resource.fields),
                SECRET if self.store.has(&key.name) => {
                    Ok(Some(Fields::from([("present".into(), true.into())])))
                }
                _ => Ok(None),
            };
            match read {
                Ok(None) => {}
                Ok(Some(fields)) => {
                    observed.resources.insert(key.clone(), fields);
                }
                Err(error) => observed.miss(Some(&key.collection), Some(&key.name), format!("{error:#}")),
            }
        }
        observed
    }

    fn read_root(&self, title: &mut String) -> anyhow::Result<Option<Fields>> {
        let Some(root) = root_certificate(&self.root)? else {
            *title = "no root certificate yet".into();
            return Ok(None);
        };
        *title = format!("{}, until {}", root.name, root.not_after.strftime("%F"));
        Ok(Some(Fields::from([("name".into(), Value::text(root.name))])))
    }

    fn read_leaf(&self, key: &Key, wished: &Fields) -> anyhow::Result<Option<Fields>> {
        let Some(leaf) = leaf_certificate(&self.root, &key.name)? else { return Ok(None) };
        let share: Option<Share> =
            wished.get("renew_at").and_then(Value::as_text).and_then(|text| text.parse().ok());
        let due = share.unwrap_or_default().is_over(&leaf, self.now);
        Ok(Some(Fields::from([
            ("names".into(), leaf.names.into()),
            ("issuer".into(), Value::text(leaf.issuer_key_id)),
            ("key".into(), leaf_has_key(&self.root, &key.name)?.into()),
            ("due".into(), due.into()),
        ])))
    }
}
