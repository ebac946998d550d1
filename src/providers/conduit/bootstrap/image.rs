//! A look into a firmware image before it is sent: a tar with `model` and partitions, each with its checksum.

use std::io::{self, Read};
use std::path::Path;

/// The partition with the configuration: an image that brings one replaces all that was set.
const CONFIGURATION: &str = "config.jffs2";
/// The longest name of a model taken.
const MODEL_BYTES_MAX: u64 = 200;

/// What an image holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The hardware it is for.
    pub model: Option<String>,
    /// Whether it replaces the configuration.
    pub replaces_configuration: bool,
    /// Its parts.
    pub parts: Vec<String>,
}

impl Contents {
    /// Whether it is for a unit with this hardware version: the device compares the same, and only its start
    /// where one of them is less exact.
    pub fn fits(&self, hardware: Option<&str>) -> bool {
        let (Some(model), Some(hardware)) = (&self.model, hardware) else { return self.model.is_some() };
        let (model, hardware) = (model.to_ascii_uppercase(), hardware.to_ascii_uppercase());
        hardware.starts_with(&model) || model.starts_with(&hardware)
    }
}

/// Looks into an image.
///
/// # Errors
/// When it cannot be read, or is no tar.
pub fn look_into(path: &Path) -> io::Result<Contents> {
    let mut contents = Contents::default();
    let mut archive = tar::Archive::new(std::fs::File::open(path)?);
    for entry in archive.entries()? {
        let entry = entry?;
        let name =
            entry.path()?.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match name.as_str() {
            "model" => {
                let mut text = String::new();
                entry.take(MODEL_BYTES_MAX).read_to_string(&mut text)?;
                contents.model = Some(text.trim().to_owned());
            }
            CONFIGURATION => contents.replaces_configuration = true,
            _ => {}
        }
        contents.parts.push(name);
    }
    if contents.parts.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it holds nothing"));
    }
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(parts: &[(&str, &str)]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut builder = tar::Builder::new(file.reopen().unwrap());
        for (name, content) in parts {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            builder.append_data(&mut header, name, content.as_bytes()).unwrap();
        }
        builder.finish().unwrap();
        file
    }

    #[test]
    fn an_image_tells_its_model_and_whether_the_configuration_goes() {
        let plain = image(&[("model", "MTCDT-0.1\n"), ("rootfs.jffs2", "x"), ("rootfs.jffs2.md5", "x")]);
        let contents = look_into(plain.path()).unwrap();
        assert_eq!(contents.model.as_deref(), Some("MTCDT-0.1"));
        assert!(!contents.replaces_configuration);
        assert!(
            contents.fits(Some("MTCDT-0.1")) && contents.fits(Some("MTCDT-0.1-LORA")) && contents.fits(None)
        );
        assert!(!contents.fits(Some("MTCAP-0.1")));
        let wiping = image(&[("model", "MTCDT"), ("./config.jffs2", "x")]);
        assert!(look_into(wiping.path()).unwrap().replaces_configuration);
        assert!(!Contents::default().fits(None), "an image without a model is none");
    }

    #[test]
    fn what_is_no_tar_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(look_into(file.path()).is_err());
        std::fs::write(file.path(), vec![b'x'; 4096]).unwrap();
        assert!(look_into(file.path()).is_err());
    }
}
