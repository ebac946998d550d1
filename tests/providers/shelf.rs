//! What the wishes of these tests look up: secrets from a list, a certificate authority made here, the
//! templates of the crate.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rocade::model::Secret;
use rocade::providers::{Fault, Found, Leaf, Lookup};

/// Made once: a certificate is the same for every wish of a test.
static CERTIFICATES: OnceLock<(String, Leaf)> = OnceLock::new();

/// A shelf; what it does not have is pending, as before a first apply.
#[derive(Default)]
pub struct Shelf {
    pub secrets: BTreeMap<String, String>,
    pub certificates: Option<(String, Leaf)>,
    /// Templates in place of the crate's own.
    pub templates: BTreeMap<String, String>,
}

impl Shelf {
    /// A shelf after the authority was made, with every secret the inventories of these tests name.
    pub fn filled() -> Self {
        let secrets = [
            ("gateways/pool-gw/network", "8f3a5c0e91d7426bb0c2e4f6187a9d35"),
            ("gateways/pool-gw/relay", "relay password"),
            ("sensors/hall", "1c9e77a05b3f4d2186e0ba94d35f7c21"),
            ("sensors/basin", "70D2B91E-4A6C-4F83-95E1-0C3BA87D64F2"),
            ("brokers/main/signage", "signage password"),
            ("brokers/main/verify", "verify password"),
        ];
        Self {
            secrets: secrets.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            certificates: Some(CERTIFICATES.get_or_init(certificates).clone()),
            templates: BTreeMap::new(),
        }
    }

    pub fn with(mut self, name: &str, secret: &str) -> Self {
        self.secrets.insert(name.to_owned(), secret.to_owned());
        self
    }

    fn folder() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("templates")
    }

    fn text(&self, path: &str) -> Result<String, Fault> {
        match self.templates.get(path) {
            Some(text) => Ok(text.clone()),
            None => std::fs::read_to_string(Self::folder().join(path))
                .map_err(|error| Fault::new(format!("{path}: {error}"))),
        }
    }
}

impl Lookup for Shelf {
    fn secret(&self, path: &str) -> Result<Found<Secret>, Fault> {
        let found = self.secrets.get(path).ok_or_else(|| Fault::new(format!("no secret {path}")))?;
        Ok(Found::Ready(Secret::new(found.as_str(), format!("{path}@1"))))
    }

    fn minted(&self, path: &str) -> Result<Found<Secret>, Fault> {
        self.secret(path).or_else(|_| Ok(Found::Pending(format!("secret {path}"))))
    }

    fn authority(&self) -> Result<Found<String>, Fault> {
        Ok(match &self.certificates {
            Some((root, _)) => Found::Ready(root.clone()),
            None => Found::Pending("the root certificate".to_owned()),
        })
    }

    fn leaf(&self, name: &str) -> Result<Found<Leaf>, Fault> {
        Ok(match &self.certificates {
            Some((_, leaf)) => Found::Ready(leaf.clone()),
            None => Found::Pending(format!("certificate {name}")),
        })
    }

    fn source(&self, path: &str) -> Result<Vec<u8>, Fault> {
        self.text(path).map(String::into_bytes)
    }

    fn sources(&self, folder: &str) -> Vec<String> {
        let root = Self::folder();
        let mut found = Vec::new();
        let mut folders = vec![root.join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(name) = path.strip_prefix(&root) {
                    found.push(name.to_string_lossy().into_owned());
                }
            }
        }
        found
    }

    fn render(&self, path: &str, context: &serde_json::Value) -> Result<String, Fault> {
        let mut environment = minijinja::Environment::new();
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        environment.set_keep_trailing_newline(true);
        let text = self.text(path)?;
        environment.render_str(&text, context).map_err(|error| Fault::new(format!("{path}: {error}")))
    }
}

fn certificates() -> (String, Leaf) {
    let key = || KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let mut root = CertificateParams::default();
    root.distinguished_name.push(DnType::CommonName, "Test Root");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = Issuer::new(root.clone(), key());
    let root = root.self_signed(issuer.key()).unwrap();
    let leaf_key = key();
    let leaf = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&leaf_key, &issuer).unwrap();
    let key_pem = Secret::new(leaf_key.serialize_pem(), "brokers/main/key@1");
    (root.pem(), Leaf { chain_pem: leaf.pem(), key_pem })
}
