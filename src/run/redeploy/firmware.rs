//! The firmware policy: what is not accepted is replaced when told, never without. The image is held to its
//! checksum and looked into before a byte is sent.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::contact::Contact;
use super::{Bringing, Identity, State, Stopped};
use crate::inventory::Sha256Text;
use crate::model::Target;
use crate::providers::conduit::bootstrap::{self, Contents};
use crate::run::watch::{Event, Watch};
use crate::transport::web::{Image, WebFault};

impl Bringing {
    /// Replaces a firmware that is not accepted, and waits for the unit to come back.
    pub(super) async fn upgrade(
        &self,
        contact: &Contact,
        identity: &Identity,
        wrong: State,
        before: bool,
    ) -> Result<(), Stopped> {
        let name = &self.target.name;
        if before {
            let words = format!("the image was taken, and it is as before: {wrong}");
            return Err(Stopped::fault(words).hint("is it the image of an accepted version?"));
        }
        if !self.order.upgrade {
            let hint = format!("to replace its firmware: rocade redeploy {name} --upgrade");
            return Err(Stopped::guard(wrong.to_string()).hint(hint));
        }
        let firmware = self.gateway()?.firmware.as_ref();
        let image = firmware.and_then(|firmware| firmware.image.as_ref().zip(firmware.sha256.as_ref()));
        let Some((image, sha256)) = image else {
            let hint = "`firmware: {image: images/FILE, sha256: ...}`";
            return Err(Stopped::guard(format!("{wrong}, and names no image")).hint(hint));
        };
        let path = self.workspace.root().join(image.as_str());
        let contents = self.examine(&path, sha256).await?;
        self.permit(&contents, identity, &image.value).await?;
        self.say(format!("{wrong}: sending {}", image.value));
        self.send(contact, path, &image.value).await?;
        self.outlast(contact, "installing its firmware").await?;
        Ok(())
    }

    /// Reads the whole image once for its checksum, and its list of parts.
    async fn examine(&self, path: &Path, sha256: &Sha256Text) -> Result<Contents, Stopped> {
        self.waits("checking the image");
        let owned = path.to_owned();
        let reading =
            tokio::task::spawn_blocking(move || Ok((digest(&owned)?, bootstrap::look_into(&owned))));
        let read = reading.await.unwrap_or_else(|fault| Err(io::Error::other(fault)));
        let cannot = |fault: io::Error| Stopped::fault(format!("{} cannot be read: {fault}", path.display()));
        let (found, contents) = read.map_err(cannot)?;
        if found != sha256.digits() {
            let words =
                format!("{} is not the image the inventory names: its SHA-256 is {found}", path.display());
            return Err(Stopped::guard(words));
        }
        contents.map_err(|fault| Stopped::fault(format!("{} is no firmware image: {fault}", path.display())))
    }

    async fn permit(&self, contents: &Contents, identity: &Identity, image: &str) -> Result<(), Stopped> {
        if !contents.fits(identity.hardware.as_deref()) {
            let model = contents.model.as_deref().unwrap_or("no model at all");
            let hardware = identity.hardware.as_deref().unwrap_or("another");
            return Err(Stopped::guard(format!("{image} is for {model}, the unit is {hardware}")));
        }
        let question = format!(
            "{image} brings a configuration partition (config.jffs2): users, settings and everything under \
             /var/config are replaced, and made anew after it. Install it?"
        );
        if contents.replaces_configuration {
            self.say(format!("{image} replaces the configuration partition"));
            if !self.asks(question).await {
                let words = format!(
                    "{image} replaces the configuration partition, and nobody agreed; nothing was sent"
                );
                return Err(Stopped::guard(words).hint("say --yes, or take an image without config.jffs2"));
            }
        }
        Ok(())
    }

    async fn send(&self, contact: &Contact, path: PathBuf, name: &str) -> Result<(), Stopped> {
        let total_bytes = std::fs::metadata(&path).map_or(0, |found| found.len());
        let (watch, target) = (Arc::clone(&self.watch), self.target.clone());
        let told = move |sent_bytes: u64| told(&*watch, &target, sent_bytes, total_bytes);
        let sent: Arc<dyn Fn(u64) + Send + Sync> = Arc::new(told);
        let file = name.rsplit('/').next().unwrap_or(name).to_owned();
        let image = Image { path, field: bootstrap::UPLOAD_FIELD, name: file };
        let limit = self.order.patience;
        match contact.session.writing().upload(bootstrap::UPGRADE, &image, &sent, limit).await {
            // Without a good answer it may have begun all the same: what it is afterwards tells.
            Ok(_) | Err(WebFault::Cut { .. } | WebFault::TimedOut { .. } | WebFault::NotJson { .. }) => {
                Ok(())
            }
            Err(fault) => Err(Stopped::fault(format!("it does not take the image: {fault}"))),
        }
    }
}

fn told(watch: &dyn Watch, target: &Target, sent_bytes: u64, total_bytes: u64) {
    let words = match sent_bytes < total_bytes {
        true => format!("sending its firmware: {} of {} MiB", sent_bytes >> 20, total_bytes >> 20),
        false => "its firmware is sent: waiting for its word".to_owned(),
    };
    watch.event(Event::Waiting(target.clone(), words));
}

fn digest(path: &Path) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut file = File::open(path)?;
    let mut piece = vec![0; 256 << 10];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok(hex::encode(digest.finalize()));
        }
        digest.update(&piece[..read]);
    }
}
