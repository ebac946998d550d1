//! The label of a sensor: a QR code as LoRa Alliance's TR005 has it, which network servers scan. It never carries a
//! key.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};
use serde::Serialize;

use crate::inventory::{Sensor, SensorModel};

/// LoRa Alliance's number of Adeunis, as The Things Network's device repository has it.
const ADEUNIS: u16 = 16;

/// A sensor's label.
#[derive(Serialize)]
pub struct Label {
    name: String,
    model: &'static str,
    dev_eui: String,
    join_eui: String,
    topic: String,
    gateway: String,
    code: String,
    /// The vendor has no number here, so the profile is all zeros.
    pub vendor_unknown: bool,
    size: usize,
    path: String,
}

/// The text of a sensor's code: `LW:D0:JoinEUI:DevEUI:ProfileID`. The profile is the vendor's number and the
/// vendor's own number of the profile; Adeunis has published none, so that part is zero.
pub fn code(sensor: &Sensor) -> String {
    let plain = |text: String| text.replace(['-', ':'], "").to_uppercase();
    let join_eui = plain(sensor.app_eui.0.to_string());
    let dev_eui = plain(sensor.dev_eui.0.to_string());
    format!("LW:D0:{join_eui}:{dev_eui}:{:04X}0000", vendor(sensor.model).unwrap_or_default())
}

fn vendor(model: SensorModel) -> Option<u16> {
    match model {
        SensorModel::AdeunisComfort | SensorModel::AdeunisComfortV1 | SensorModel::AdeunisComfortCo2 => {
            Some(ADEUNIS)
        }
        SensorModel::Raw => None,
    }
}

/// The label of a sensor.
pub fn label(name: &str, sensor: &Sensor) -> Label {
    let code = code(sensor);
    let (size, path) = drawn(&code);
    Label {
        name: name.to_owned(),
        model: sensor.model.name(),
        dev_eui: sensor.dev_eui.0.to_string(),
        join_eui: sensor.app_eui.0.to_string(),
        topic: sensor.topic.value.clone(),
        gateway: sensor.gateway.value.clone(),
        vendor_unknown: vendor(sensor.model).is_none(),
        code,
        size,
        path,
    }
}

/// A QR code's width in modules, and its dark modules as the path of an SVG: a run of them in a row is one
/// rectangle. Without a code (a text too long, which none of these is) it is empty.
fn drawn(text: &str) -> (usize, String) {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else { return (0, String::new()) };
    let (width, colours) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (row, line) in colours.chunks(width).enumerate() {
        let mut column = 0;
        for run in line.chunk_by(|a, b| a == b) {
            if run[0] == Color::Dark {
                // Writing to a String cannot fail.
                let _ = write!(path, "M{column} {row}h{}v1h-{}z", run.len(), run.len());
            }
            column += run.len();
        }
    }
    (width, path)
}
