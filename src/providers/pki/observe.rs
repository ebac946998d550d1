//! What stands under `pki/` and among the secrets. Opens nothing; a damaged file is unread, never absent.

use crate::model::{Fields, Key, Observed, Value, Wish};
use crate::pki::{self, Certificate, Share, leaf_certificate, leaf_has_key, root_certificate};

use super::{AUTHORITY, CERTIFICATE, CRL, ISSUING, PkiProvider, SECRET};

impl PkiProvider {
    /// Reads all that is wished.
    pub(super) fn read(&self, wish: &Wish) -> Observed {
        let mut observed = Observed::new(wish.target.clone());
        for (key, resource) in &wish.resources {
            let read = match key.collection.as_str() {
                AUTHORITY => self.read_root(&mut observed.title),
                ISSUING => self.read_issuing(&resource.fields),
                CERTIFICATE => self.read_leaf(key, &resource.fields),
                CRL => self.read_lists(&resource.fields),
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
        if let Some(stage) = pki::rotation::stage(&self.root)? {
            title.push_str(&format!("; rotation at `{stage}`"));
        }
        if !pki::root_has_key(&self.root)? {
            title.push_str("; its key is off line");
            // Nothing here can renew it: whoever reads the plan can.
            if let Some(issuing) = pki::issuing_certificate(&self.root)?
                && Share::default().is_over(&issuing, self.now)
            {
                let left = issuing.days_left(self.now);
                title.push_str(&format!(", the issuing certificate has {left} days left: `rocade pki csr`"));
            }
        }
        Ok(Some(Fields::from([("name".into(), Value::text(root.name))])))
    }

    fn read_issuing(&self, wished: &Fields) -> anyhow::Result<Option<Fields>> {
        let Some(issuing) = pki::issuing_certificate(&self.root)? else { return Ok(None) };
        Ok(Some(Fields::from([
            ("due".into(), self.due(&issuing, wished)),
            ("only".into(), issuing.only.into()),
        ])))
    }

    fn read_leaf(&self, key: &Key, wished: &Fields) -> anyhow::Result<Option<Fields>> {
        let Some(leaf) = leaf_certificate(&self.root, &key.name)? else { return Ok(None) };
        Ok(Some(Fields::from([
            ("due".into(), self.due(&leaf, wished)),
            ("client".into(), leaf.is_client.into()),
            ("names".into(), leaf.names.into()),
            ("issuer".into(), Value::text(leaf.issuer_key_id)),
            ("key".into(), leaf_has_key(&self.root, &key.name)?.into()),
            ("revoked".into(), pki::is_revoked(&self.root, &leaf.serial)?.into()),
        ])))
    }

    fn read_lists(&self, wished: &Fields) -> anyhow::Result<Option<Fields>> {
        let crls = pki::own_crls(&self.root, self.now)?;
        if crls.is_empty() {
            return Ok(None);
        }
        let mut serials: Vec<String> = crls.iter().flat_map(|crl| crl.serials.clone()).collect();
        serials.sort();
        let due = crls.iter().find(|crl| crl.is_due(share(wished), self.now));
        let left = |crl: &pki::Crl| (crl.next_update.as_second() - self.now.as_second()).div_euclid(86_400);
        let issuers: Vec<String> = crls.iter().map(|crl| crl.issuer.clone()).collect();
        Ok(Some(Fields::from([
            (
                "due".into(),
                due.map_or(false.into(), |crl| match left(crl) {
                    days @ 0.. => {
                        Value::text(format!("{days} days left, then brokers refuse every certificate"))
                    }
                    _ => Value::text("it is over: brokers refuse every certificate"),
                }),
            ),
            ("revoked".into(), serials.into()),
            ("issuers".into(), issuers.into()),
        ])))
    }

    /// Whether a certificate is to be renewed: with the days it has left.
    fn due(&self, certificate: &Certificate, wished: &Fields) -> Value {
        match share(wished).is_over(certificate, self.now) {
            true => days_left(certificate.days_left(self.now)),
            false => false.into(),
        }
    }
}

fn share(wished: &Fields) -> Share {
    let share = wished.get("renew_at").and_then(Value::as_text).and_then(|text| text.parse().ok());
    share.unwrap_or_default()
}

fn days_left(days: i64) -> Value {
    match days {
        0.. => Value::text(format!("{days} days left")),
        _ => Value::text("it is over"),
    }
}
