//! The issuing intermediate: made where the root's key is, or asked for here, signed elsewhere and put in place
//! when it is what was asked for. Renewed it keeps its key: leaves under it stay what they are.

use std::path::Path;

use anyhow::{Context, bail};
use jiff::Timestamp;
use rcgen::{CertificateParams, CertificateSigningRequestParams, DnType, KeyPair, PublicKeyData};
use x509_parser::prelude::FromDer;
use zeroize::Zeroizing;

use super::authority::{Authority, end};
use super::folder::{Era, Slot};
use super::ledger::{self, Deed};
use super::{Certificate, profile};
use crate::model::{Period, Secret};
use crate::secrets::Store;

/// What an intermediate is to be.
#[derive(Clone, Debug)]
pub struct IssuingOrder<'a> {
    /// Domains and networks it may sign for; any when there are none.
    pub only: &'a [String],
    /// How long it lives; cut at the root's end.
    pub lifetime: Period,
    /// The present.
    pub now: Timestamp,
    /// Who has it made, for the ledger.
    pub by: &'a str,
}

/// The common name of an intermediate made at a moment: that of its root, and the day.
fn name(root: &str, now: Timestamp) -> String {
    let day = now.strftime(" issuing %F").to_string();
    // RFC 5280, appendix A.1: ub-common-name is 64.
    root.chars().take(64 - day.len()).collect::<String>() + &day
}

impl Authority {
    /// Makes the intermediate, or renews it with its key kept. Needs the root's key.
    ///
    /// # Errors
    /// When the root's key is not here or does not open, the root is over, or a file cannot be written.
    pub fn make_issuing(&mut self, order: &IssuingOrder<'_>, store: &Store) -> anyhow::Result<()> {
        let slot = Slot::issuing_now(&self.repository, self.era)?;
        let signer = self.root_signer(store)?;
        let key = match &self.issuing {
            Some(issuing) => pair(&slot.key_of(issuing, store)?)?,
            None => profile::new_key()?,
        };
        let name = match &self.issuing {
            Some(issuing) => issuing.name.clone(),
            None => name(&self.root.name, order.now),
        };
        let params = profile::issuing(&name, order.only, order.now, self.issuing_end(order)?)?;
        let pem = params.signed_by(&key, &signer).context("signing the intermediate")?.pem();
        let certificate = Certificate::parse(&pem)?;
        let renewed = self.issuing.is_some();
        if renewed {
            slot.put_certificate(&certificate, store)?;
        } else {
            slot.replace(&pem, Zeroizing::new(key.serialize_pem()).as_bytes(), store)?;
        }
        self.enter(&certificate, renewed, order)?;
        self.issuing = Some(certificate);
        Ok(())
    }

    fn issuing_end(&self, order: &IssuingOrder<'_>) -> anyhow::Result<Timestamp> {
        if order.now >= self.root.not_after {
            bail!("the root certificate ended on {}", self.root.not_after.strftime("%F"));
        }
        Ok(end(order.now, order.lifetime)?.min(self.root.not_after))
    }

    fn enter(&self, made: &Certificate, renewed: bool, order: &IssuingOrder<'_>) -> anyhow::Result<()> {
        let why = if renewed { "renewal" } else { "issuing" };
        let what = if self.era == Era::Next { "rotate" } else { "issuing" };
        ledger::add(&self.repository, made, Deed { what, why, by: order.by, now: order.now })
    }

    /// A request for the intermediate, to be carried to where the root's key is. The key is that of the
    /// intermediate there is, else a new one that waits in `pki/issuing.key.age.new`.
    ///
    /// # Errors
    /// When a key does not open or cannot be written.
    pub fn request(&self, only: &[String], now: Timestamp, store: &Store) -> anyhow::Result<String> {
        let slot = Slot::issuing_now(&self.repository, self.era)?;
        let (key, name) = match (&self.issuing, slot.waiting_key(store)?) {
            (Some(issuing), _) => (pair(&slot.key_of(issuing, store)?)?, issuing.name.clone()),
            (None, Some(waiting)) => (pair(&waiting)?, name(&self.root.name, now)),
            (None, None) => {
                let key = profile::new_key()?;
                slot.keep_waiting(Zeroizing::new(key.serialize_pem()).as_bytes(), store)?;
                (key, name(&self.root.name, now))
            }
        };
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let request = params.serialize_request(&key).context("making the request")?;
        let head: String = only.iter().map(|name| format!("only: {name}\n")).collect();
        Ok(head + &request.pem()?)
    }

    /// Puts a signed intermediate in place, after checking that it is what this repository may use.
    ///
    /// # Errors
    /// What is wrong with it; nothing is changed then.
    pub fn import_issuing(
        &mut self,
        pem: &str,
        order: &IssuingOrder<'_>,
        store: &Store,
    ) -> anyhow::Result<Certificate> {
        let certificate = Certificate::parse(pem)?;
        let certificate = Certificate::parse_all(pem)?.into_iter().next().unwrap_or(certificate);
        if !certificate.is_authority {
            bail!("it is not the certificate of an authority");
        }
        if certificate.path_length != Some(0) {
            bail!("it may have authorities below it: an issuing intermediate has a path length of 0");
        }
        certificate.check_signed_by(&self.root)?;
        if certificate.issuer_key_id != self.root.key_id {
            bail!("its authority key identifier is not that of the root in pki/");
        }
        if certificate.not_before > order.now || order.now >= certificate.not_after {
            let (from, until) = (certificate.not_before, certificate.not_after);
            bail!("it is valid from {from} until {until}, and this machine's clock says {}", order.now);
        }
        if certificate.not_after > self.root.not_after {
            bail!("it ends after the root, on {}", certificate.not_after.strftime("%F"));
        }
        let mut only = order.only.to_vec();
        only.sort();
        if certificate.only != only {
            let said = |only: &[String]| if only.is_empty() { "anything".into() } else { only.join(", ") };
            bail!("it is for {}, the inventory says {}", said(&certificate.only), said(&only));
        }
        let renewed = self.issuing.is_some();
        Slot::issuing_now(&self.repository, self.era)?.put_certificate(&certificate, store)?;
        self.enter(&certificate, renewed, order)?;
        self.issuing = Some(certificate.clone());
        Ok(certificate)
    }
}

/// A root's certificate and key, on the machine without network.
#[derive(Debug)]
pub struct Signing<'a> {
    /// The root certificate, PEM.
    pub root_pem: &'a str,
    /// Its private key, PKCS #8 PEM.
    pub key_pem: &'a Secret,
    /// The request, as [`Authority::request`] made it.
    pub request: &'a str,
    /// How long the intermediate lives; cut at the root's end.
    pub lifetime: Period,
    /// The present.
    pub now: Timestamp,
}

/// Signs a request for an intermediate: needs nothing but what is given. Of the request it takes the name, the
/// key and the domains and networks; everything else is ours to say.
///
/// # Errors
/// When the request is damaged or not signed with its own key, or root and key do not belong together.
pub fn sign(order: &Signing<'_>) -> anyhow::Result<String> {
    let root = Certificate::parse(order.root_pem).context("reading the root certificate")?;
    let key = pair(order.key_pem)?;
    if key.subject_public_key_info() != root.public_key {
        bail!("the key is not that of the root certificate");
    }
    if order.now >= root.not_after {
        bail!("the root certificate ended on {}", root.not_after.strftime("%F"));
    }
    let only: Vec<String> = order
        .request
        .trim_start_matches('\u{feff}')
        .lines()
        .filter_map(|line| line.strip_prefix("only: "))
        .map(str::to_owned)
        .collect();
    let at = order.request.find("-----BEGIN").context("this is not a request in PEM")?;
    let request = CertificateSigningRequestParams::from_pem(&order.request[at..])
        .context("this is not a request signed with its own key")?;
    let asked = &request.params;
    let is_leaf = !asked.subject_alt_names.is_empty()
        || !asked.extended_key_usages.is_empty()
        || matches!(asked.is_ca, rcgen::IsCa::ExplicitNoCa);
    if is_leaf {
        bail!("this is a leaf's request: what is signed here may issue leaves itself");
    }
    if request.public_key.subject_public_key_info() == root.public_key {
        bail!("this request is made with the root's own key");
    }
    let name = common_name(&order.request[at..])?;
    let end = end(order.now, order.lifetime)?.min(root.not_after);
    let params = profile::issuing(&name, &only, order.now, end)?;
    let issuer = rcgen::Issuer::from_ca_cert_pem(&root.pem, key).context("reading the root certificate")?;
    Ok(params.signed_by(&request.public_key, &issuer).context("signing the intermediate")?.pem())
}

fn common_name(request_pem: &str) -> anyhow::Result<String> {
    use x509_parser::certification_request::X509CertificationRequest;
    let (_, block) = x509_parser::pem::parse_x509_pem(request_pem.as_bytes())
        .map_err(|_| anyhow::anyhow!("this is not a request in PEM"))?;
    let (_, request) =
        X509CertificationRequest::from_der(&block.contents).context("this is not a request")?;
    let subject = &request.certification_request_info.subject;
    let name = subject.iter_common_name().next().and_then(|name| name.as_str().ok());
    Ok(name.context("the request has no common name")?.to_owned())
}

fn pair(key: &Secret) -> anyhow::Result<KeyPair> {
    let pair = key.reveal_text().and_then(|pem| KeyPair::from_pem(pem).ok());
    pair.context("the key is damaged")
}

/// Whether the intermediate of a repository waits for its certificate.
pub fn request_is_out(repository: &Path) -> bool {
    repository.join("pki/issuing.key.age.new").is_file()
}
