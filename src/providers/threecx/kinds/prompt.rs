//! Prompts. A file is uploaded under a name that says its content: another content is another name, so a plan
//! sees a changed file without downloading anything, and no state is kept. Other files are not looked at.

use std::collections::BTreeMap;
use std::path::Path;

use futures::future::BoxFuture;
use serde_json::{Value as Json, json};
use sha2::Digest;

use super::super::directory::Directory;
use super::super::kind::{Form, Identity, Kind, Made, Patch, Unmade, Wishing};
use crate::inventory::{At, Pbx, Place, Prompt, Route};
use crate::model::{Fields, Value};
use crate::providers::Fault;
use crate::transport::Writing;

pub struct Prompts;

/// Where the files lie.
const FOLDER: &str = "inventory/prompts";

/// The name on the PBX of a file with this content: `welcome.3f9a1c2b.wav`.
pub fn on_pbx(file: &str, content: &[u8]) -> String {
    let hash = hex::encode(&sha2::Sha256::digest(content)[..4]);
    format!("{}.{hash}.wav", stem(file))
}

/// What a file is instead of WAV, PCM, 8 kHz, 16 bit, mono; `None` when it is that.
fn unfit(content: &[u8]) -> Option<String> {
    let bytes = |at: usize, length: usize| content.get(at..at + length);
    let word = |at| bytes(at, 2).map_or(0, |two| u16::from_le_bytes([two[0], two[1]]));
    let long = |at| bytes(at, 4).map_or(0, |four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]));
    if bytes(0, 4) != Some(b"RIFF") || bytes(8, 8) != Some(b"WAVEfmt ") {
        return Some("no WAV file".to_owned());
    }
    let (format, channels, rate, bits) = (word(20), word(22), long(24), word(34));
    if (format, channels, rate, bits) == (1, 1, 8000, 16) {
        return None;
    }
    let format = if format == 1 { "PCM" } else { "compressed" };
    let channels = if channels == 1 { "mono".to_owned() } else { format!("{channels} channels") };
    Some(format!("{format}, {rate} Hz, {bits} bit, {channels}"))
}

fn stem(file: &str) -> &str {
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// The prompt files a PBX's entry names, each with the first place it is named at.
pub fn files(pbx: &Pbx) -> BTreeMap<&str, &Place> {
    let mut found = BTreeMap::new();
    for prompt in all(pbx) {
        if let Prompt::File(file) = &prompt.value {
            found.entry(file.as_str()).or_insert(&prompt.place);
        }
    }
    found
}

/// Every prompt an entry names.
fn all(pbx: &Pbx) -> Vec<&At<Prompt>> {
    let mut routes: Vec<&Option<At<Route>>> = Vec::new();
    for one in pbx.departments.values() {
        routes.extend([&one.when_open, &one.when_closed, &one.on_break, &one.on_holiday]);
    }
    pbx.ring_groups
        .values()
        .for_each(|one| routes.extend([&one.when_closed, &one.on_break, &one.on_holiday]));
    pbx.queues.values().for_each(|one| routes.extend([&one.when_closed, &one.on_break, &one.on_holiday]));
    pbx.ivrs.values().for_each(|one| routes.extend([&one.when_closed, &one.on_break, &one.on_holiday]));
    let routes = routes.into_iter().flatten().filter_map(|route| route.prompt.as_ref());
    let queues = pbx.queues.values().flat_map(|queue| queue.intro.iter().chain(&queue.music));
    let holidays = pbx.holidays.values().filter_map(|holiday| holiday.prompt.as_ref());
    pbx.ivrs.values().map(|ivr| &ivr.prompt).chain(routes).chain(queues).chain(holidays).collect()
}

impl Kind for Prompts {
    fn collection(&self) -> &'static str {
        "prompt"
    }

    fn set(&self) -> &'static str {
        "CustomPrompts"
    }

    fn query(&self, _patch: Patch) -> String {
        "$select=Filename,CanBeDeleted".to_owned()
    }

    fn wish(&self, wishing: &mut Wishing<'_>) {
        let pbx = wishing.pbx;
        for (file, place) in files(pbx) {
            let path = wishing.root.join(FOLDER).join(file);
            match std::fs::read(&path) {
                Ok(content) if unfit(&content).is_some() => {
                    let is = unfit(&content).unwrap_or_default();
                    let fault = Fault::new(format!(
                        "{FOLDER}/{file} is {is}; a 3CX plays WAV, PCM, 8 kHz, 16 bit, mono"
                    ));
                    let hint = format!("sox {file} -r 8000 -c 1 -b 16 -e signed-integer new.wav");
                    wishing.faults.push(fault.at(place).hint(hint));
                }
                Ok(content) => {
                    let mut form = Form::new(place);
                    form.set("file", file);
                    let tenths = content.len().saturating_sub(44) / 1_600;
                    wishing.add(
                        "prompt",
                        &on_pbx(file, &content),
                        form,
                        format!("{file}, {}.{} s", tenths / 10, tenths % 10),
                    );
                }
                Err(fault) => {
                    let fault = Fault::new(format!("cannot read {FOLDER}/{file}: {fault}")).at(place);
                    wishing
                        .faults
                        .push(fault.hint("prompts are WAV files in the repository, PCM 8 kHz 16 bit mono"));
                }
            }
        }
    }

    /// Only files of wished stems are looked at: older contents of them are ours to delete.
    fn identify(&self, entity: &Json, directory: &Directory) -> Option<Identity> {
        let name = entity["Filename"].as_str()?;
        let name = name.rsplit('/').next().unwrap_or(name);
        let (rest, hash) = name.strip_suffix(".wav")?.rsplit_once('.')?;
        let hashed = hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let ours = directory.prompt_files().any(|file| stem(file) == rest);
        (hashed && ours).then(|| Identity::named(name))
    }

    /// A name says the content.
    fn twins_are_one(&self) -> bool {
        true
    }

    fn see(&self, entity: &Json, directory: &Directory) -> Fields {
        let name = entity["Filename"].as_str().unwrap_or_default();
        let name = name.rsplit('/').next().unwrap_or(name);
        let file = directory.prompt_file(name).unwrap_or_default();
        Fields::from([("file".to_owned(), file.into())])
    }

    fn create(&self, _name: &str, _wished: &Fields, _directory: &Directory) -> Result<Json, Unmade> {
        Err("a prompt is uploaded".to_owned())
    }

    fn created_with(&self) -> &'static [&'static str] {
        &["file"]
    }

    fn change(&self, _: &str, _: &Fields, _: &Json, _: &Directory) -> Result<Json, Unmade> {
        Ok(json!({}))
    }

    fn field_of(&self, _property: &str) -> Option<&'static str> {
        None
    }

    fn make<'a>(
        &'a self,
        name: &'a str,
        wished: &'a Fields,
        _directory: &'a Directory,
        root: &'a Path,
        hand: Writing<'a>,
    ) -> Option<BoxFuture<'a, Result<Json, Made>>> {
        Some(Box::pin(async move {
            let file = wished.get("file").and_then(Value::as_text).unwrap_or_default();
            let content = std::fs::read(root.join(FOLDER).join(file))
                .map_err(|fault| Made::Unmade(format!("cannot read {FOLDER}/{file}: {fault}")))?;
            if on_pbx(file, &content) != name {
                return Err(Made::Unmade(format!("{FOLDER}/{file} was changed since the plan; plan again")));
            }
            // The path is not in the vendor's document; two programs were seen to use it.
            let sent = hand.upload("/xapi/v1/customPrompts", name, "audio/wav", content).await;
            sent.map_err(Made::Fault)?;
            Ok(json!({"Filename": name}))
        }))
    }
}
