//! Firmware images: a tar with `model` and file systems, each file system with its MD5 beside it. A real one is
//! some 70 MB; those of the lab hold only what tells one from another.

use std::collections::BTreeMap;
use std::io::Read;

use super::firmware::Firmware;
use super::tree::{Refusal, bad};

/// The file systems an image can hold.
const PARTS: [&str; 6] =
    ["bstrap.bin", "uboot.bin", "uImage.bin", "config.jffs2", "oem.jffs2", "rootfs.jffs2"];

/// An image that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The firmware in it.
    pub firmware: Firmware,
    /// Whether it replaces `/var/config`.
    pub wipes: bool,
}

/// Makes an image for the lab's units: for a model such as `MTCDT`, with or without a `config.jffs2`, which
/// replaces `/var/config`.
///
/// # Errors
/// When the tar cannot be made in memory.
pub fn firmware_image(model: &str, firmware: Firmware, with_config: bool) -> std::io::Result<Vec<u8>> {
    let version = format!("mLinux {}\n", firmware.text());
    let mut parts = vec![("rootfs.jffs2", version.as_str())];
    parts.extend(with_config.then_some(("config.jffs2", "empty\n")));
    let mut image = tar::Builder::new(Vec::new());
    let mut add = |name: &str, text: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        image.append_data(&mut header, name, text.as_bytes())
    };
    add("model", &format!("{model}\n"))?;
    for (name, text) in parts {
        add(name, text)?;
        add(&format!("{name}.md5"), &format!("{:x}  {name}\n", md5::compute(text)))?;
    }
    image.into_inner()
}

impl Image {
    /// Holds an image against a unit. The checks are those of the vendor's program; the texts are assumed.
    ///
    /// # Errors
    /// 400 when it is none, is broken, or is not for this unit.
    pub fn of(bytes: &[u8], hardware: &str, present: &Firmware) -> Result<Self, Refusal> {
        let members = members(bytes).map_err(|error| bad(format!("Invalid firmware file: {error}")))?;
        let text = |name: &str| members.get(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let model = text("model").ok_or_else(|| bad("Invalid firmware file: no model"))?;
        let model = model.trim();
        if model.is_empty() || !hardware.to_lowercase().starts_with(&model.to_lowercase()) {
            return Err(bad(format!("Firmware is for {model}, this device is {hardware}")));
        }
        for name in PARTS {
            let Some(bytes) = members.get(name) else { continue };
            let sum = text(&format!("{name}.md5")).unwrap_or_default();
            if sum.split_whitespace().next() != Some(format!("{:x}", md5::compute(bytes)).as_str()) {
                return Err(bad(format!("Invalid firmware file: MD5 of {name} does not match")));
            }
        }
        let root = text("rootfs.jffs2").unwrap_or_default();
        let version = root.trim().strip_prefix("mLinux ").and_then(|version| Firmware::of(version).ok());
        let firmware = version.ok_or_else(|| bad("Invalid firmware file: no root file system of the lab"))?;
        if !present.takes(&firmware) {
            return Err(bad(format!("Firmware {} needs 6.0.0 or later installed first", firmware.text())));
        }
        Ok(Self { firmware, wipes: members.contains_key("config.jffs2") })
    }
}

fn members(bytes: &[u8]) -> std::io::Result<BTreeMap<String, Vec<u8>>> {
    let mut members = BTreeMap::new();
    for member in tar::Archive::new(bytes).entries()? {
        let mut member = member?;
        let name = member.path()?.to_string_lossy().trim_start_matches("./").to_owned();
        let mut content = Vec::new();
        member.read_to_end(&mut content)?;
        members.insert(name, content);
    }
    Ok(members)
}

/// The first file of a `multipart/form-data` body, whatever its field is called: the documentation says `file`,
/// other uploads of this API say `archivo`.
///
/// # Errors
/// 400 when there is none.
pub fn uploaded(body: &[u8]) -> Result<&[u8], Refusal> {
    let find = |body: &[u8], wanted: &[u8]| body.windows(wanted.len()).position(|part| part == wanted);
    let none = || bad("No file was uploaded");
    let boundary = &body[..find(body, b"\r\n").filter(|end| *end > 2).ok_or_else(none)?];
    let end: Vec<u8> = [b"\r\n", boundary].concat();
    let mut rest = &body[boundary.len()..];
    while let Some(start) = find(rest, b"\r\n\r\n") {
        let (head, content) = (&rest[..start], &rest[start + 4..]);
        let length = find(content, &end).ok_or_else(none)?;
        if find(head, b"filename=").is_some() {
            return Ok(&content[..length]);
        }
        rest = &content[length + end.len()..];
    }
    Err(none())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HARDWARE: &str = "MTCDT-0.1";

    fn of(version: &str) -> Firmware {
        Firmware::of(version).unwrap()
    }

    fn refusal(bytes: &[u8], present: &str) -> String {
        Image::of(bytes, HARDWARE, &of(present)).unwrap_err().1
    }

    #[test]
    fn an_image_is_held_against_the_unit() {
        let image = firmware_image("MTCDT", of("6.3.1"), true).unwrap();
        let read = Image::of(&image, HARDWARE, &of("6.0.1")).unwrap();
        assert_eq!(read, Image { firmware: of("6.3.1"), wipes: true });
        assert!(refusal(&image, "5.3.0").contains("6.0.0"));
        let other = firmware_image("MTCAP", of("6.3.1"), false).unwrap();
        assert!(refusal(&other, "6.0.1").contains("MTCAP"));
        let at = image.windows(7).position(|part| part == b"mLinux ").unwrap();
        let mut broken = image.clone();
        broken[at + 7] = b'7';
        assert!(refusal(&broken, "6.0.1").contains("MD5 of rootfs.jffs2"));
        for nothing in [&image[..700], b"", &[0; 2000]] {
            assert!(refusal(nothing, "6.0.1").contains("Invalid firmware file"));
        }
    }

    #[test]
    fn a_file_is_found_in_a_form() {
        let form = b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\n\
            Content-Disposition: form-data; name=\"file\"; filename=\"u.bin\"\r\n\r\n\0\r\n\r\n--\r\n--x--\r\n";
        assert_eq!(uploaded(form).unwrap(), b"\0\r\n\r\n--");
        for none in [&form[..60], b"{}", b"", b"\r\n"] {
            assert_eq!(uploaded(none).unwrap_err().0, 400);
        }
    }
}
