//! Proof of who it is. Another unit is refused, or takes the place of the old one when that was said: the
//! inventory says so from then on.

use super::contact::Contact;
use super::{Bringing, Doing, Stopped};
use crate::inventory::{Place, amend};
use crate::model::Mac;
use crate::providers::conduit::bootstrap::{self, Expected, Identity};
use crate::transport::web::WebWay;

impl Bringing {
    /// Asks it who it is and holds it to the inventory. `fresh`: its user was made by this run.
    pub(super) async fn identify(
        &self,
        contact: &Contact,
        expected: &mut Expected,
        fresh: bool,
    ) -> Result<Identity, Stopped> {
        let identity = bootstrap::identify(contact.session.reading()).await.doing("asking who it is")?;
        self.prove(&identity, expected, fresh).await?;
        Ok(identity)
    }

    pub(super) async fn prove(
        &self,
        identity: &Identity,
        expected: &mut Expected,
        fresh: bool,
    ) -> Result<(), Stopped> {
        let Some(wrong) = expected.wrong_unit(identity) else { return Ok(()) };
        let name = &self.target.name;
        if self.order.replacement && identity.serial.is_some() {
            return self.replace_unit(identity, expected).await;
        }
        let left = match fresh {
            true => format!("; it has our user `{}` now, and nothing else was changed", self.user),
            false => "; nothing was changed".to_owned(),
        };
        let hint = format!("if it takes the place of the old one: rocade redeploy {name} --replacement");
        Err(Stopped::guard(format!("{wrong}{left}")).hint(hint))
    }

    /// A unit in its box says nothing of itself; the wire it is on tells its hardware address.
    pub(super) fn prove_on_the_wire(
        &self,
        seen: Option<String>,
        way: &WebWay,
        expected: &Expected,
    ) -> Result<(), Stopped> {
        let alone = Expected { mac: expected.mac.clone(), ..Expected::default() };
        let answers = Identity { mac: seen.clone(), ..Identity::default() };
        match alone.wrong_unit(&answers).filter(|_| seen.is_some() && !self.order.replacement) {
            None => Ok(()),
            Some(wrong) => {
                let name = &self.target.name;
                let hint =
                    format!("if it takes the place of the old one: rocade redeploy {name} --replacement");
                Err(Stopped::guard(format!("{wrong} (at {}); nothing was sent to it", way.whom())).hint(hint))
            }
        }
    }

    async fn replace_unit(&self, identity: &Identity, expected: &mut Expected) -> Result<(), Stopped> {
        let gateway = self.gateway()?;
        let _one_at_a_time = self.files.lock().await;
        if let (Some(serial), Some(seen)) = (&gateway.serial, &identity.serial)
            && expected.serial.as_ref() != Some(seen)
        {
            self.amend(&serial.place, serial, seen)?;
            expected.serial = Some(seen.clone());
        }
        if let (Some(mac), Some(seen)) = (&gateway.mac, &identity.mac)
            && expected.mac.as_ref() != Some(seen)
        {
            // As it stands in the file: any of its spellings.
            let written = self.written(&mac.place)?;
            let words = seen.parse::<Mac>().map_or_else(|_| seen.clone(), |mac| mac.to_string());
            self.amend(&mac.place, &written, &words)?;
            expected.mac = Some(seen.clone());
        }
        match expected.wrong_unit(identity) {
            None => Ok(()),
            Some(wrong) => Err(Stopped::guard(wrong.to_string())),
        }
    }

    fn amend(&self, place: &Place, old: &str, new: &str) -> Result<(), Stopped> {
        let path = self.workspace.root().join(&*place.file);
        let text = crate::repository::read(&path)?.unwrap_or_default();
        let changed = amend::scalar(&text, place, old, new).map_err(|fault| {
            Stopped::fault(format!("the inventory cannot be changed: {fault}"))
                .hint(format!("write {new} there"))
        })?;
        crate::repository::replace(&path, changed.as_bytes())?;
        self.say(format!("a replacement: {}:{} says \"{new}\" now, it said {old}", place.file, place.line));
        Ok(())
    }

    /// The word at a place as it stands in the file.
    fn written(&self, place: &Place) -> Result<String, Stopped> {
        let path = self.workspace.root().join(&*place.file);
        let text = crate::repository::read(&path)?.unwrap_or_default();
        amend::word_at(&text, place).map(str::to_owned).map_err(Stopped::fault)
    }
}
