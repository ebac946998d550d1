//! The authority as gauges in the text form of Prometheus, for the node exporter's textfile collector.

use std::fmt::Write;

use jiff::Timestamp;

use super::{Certificate, Crl};

/// What is shown.
pub struct Gauges<'a> {
    /// The present.
    pub now: Timestamp,
    /// Kind (`root`, `issuing`, `leaf`), name and certificate.
    pub certificates: Vec<(&'a str, &'a str, &'a Certificate)>,
    /// The lists of revoked certificates.
    pub crls: &'a [Crl],
    /// How many certificates were ever revoked.
    pub revoked: usize,
}

impl Gauges<'_> {
    /// The text, a line each.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let ends = |held: &Certificate| held.not_after.as_second();
        self.of_each(&mut text, "not_after_seconds", "End of the certificate, Unix time.", ends);
        let left = |held: &Certificate| held.days_left(self.now);
        self.of_each(&mut text, "days_left", "Whole days until the certificate ends.", left);
        head(&mut text, "rocade_pki_revoked", "Certificates revoked so far.");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "rocade_pki_revoked {}", self.revoked);
        head(&mut text, "rocade_pki_crl_next_update_seconds", "When the next list is due, Unix time.");
        for crl in self.crls {
            let (issuer, next) = (&crl.issuer, crl.next_update.as_second());
            let _ = writeln!(text, "rocade_pki_crl_next_update_seconds{{issuer=\"{issuer}\"}} {next}");
        }
        head(&mut text, "rocade_pki_status_seconds", "When this was written, Unix time.");
        let _ = writeln!(text, "rocade_pki_status_seconds {}", self.now.as_second());
        text
    }

    fn of_each(&self, text: &mut String, gauge: &str, help: &str, value: impl Fn(&Certificate) -> i64) {
        let gauge = format!("rocade_pki_certificate_{gauge}");
        head(text, &gauge, help);
        for (kind, name, held) in &self.certificates {
            let name = name.replace('\\', r"\\").replace('"', "\\\"");
            let (serial, value) = (&held.serial, value(held));
            let _ = writeln!(text, "{gauge}{{kind=\"{kind}\",name=\"{name}\",serial=\"{serial}\"}} {value}");
        }
    }
}

fn head(text: &mut String, gauge: &str, help: &str) {
    let _ = writeln!(text, "# HELP {gauge} {help}\n# TYPE {gauge} gauge");
}
