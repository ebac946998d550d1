//! The repository of a fleet of gateways, and the fleet.

use std::fmt::Write;

use rocade::lab::{DevicePlan, Lab, LabPlan};
use rocade::secrets::{IdentitySource, Store, keygen};
use tempfile::TempDir;

/// Where a gateway of the fleet is.
pub struct Spot {
    /// Its name.
    pub name: String,
    /// Its SSH port.
    pub port: u16,
    /// The password of `admin`.
    pub password: String,
    /// Its serial number.
    pub serial: u32,
}

/// Writes the repository of a fleet: a sensor a gateway, no broker.
pub fn describe(folder: &TempDir, spots: &[Spot]) {
    let root = folder.path();
    keygen(&root.join(".rocade/identity.txt"), Some(root), Some("fleet")).unwrap();
    let store = Store::open(root, IdentitySource::File(root.join(".rocade/identity.txt"))).unwrap();
    let mut gateways = "sites:\n  pool: {title: Pool}\ngateways:\n".to_owned();
    let mut sensors = "sensors:\n".to_owned();
    for (number, Spot { name, port, password, serial }) in spots.iter().enumerate() {
        let login = format!("{{user: admin, port: {port}, password: {{secret: gateways/{name}/admin}}}}");
        write!(
            gateways,
            "  {name}:\n    site: pool\n    model: multitech-conduit\n    address: 127.0.0.1\n    \
             serial: \"{serial:08}\"\n    ssh: {login}\n    \
             lorawan: {{region: EU868, network_key: {{secret: gateways/{name}/network}}}}\n"
        )
        .unwrap();
        write!(
            sensors,
            "  s-{number}:\n    gateway: {name}\n    model: adeunis-comfort\n    \
             dev_eui: 0018B210{number:08X}\n    app_eui: 0018B24441524632\n    \
             app_key: {{secret: sensors/s-{number}/app_key}}\n    period: 10m\n    \
             topic: sites/pool/s-{number}\n"
        )
        .unwrap();
        let key = || hex::encode(rand::random::<[u8; 16]>());
        store.put(&format!("gateways/{name}/admin"), password.as_bytes()).unwrap();
        store.put(&format!("gateways/{name}/network"), key().as_bytes()).unwrap();
        store.put(&format!("sensors/s-{number}/app_key"), key().as_bytes()).unwrap();
    }
    std::fs::write(root.join("inventory/gateways.yaml"), gateways).unwrap();
    std::fs::write(root.join("inventory/sensors.yaml"), sensors).unwrap();
}

/// A fleet of simulated gateways, from `gw-0` on.
pub async fn fleet(gateways: usize) -> (TempDir, Lab) {
    let folder = TempDir::new().unwrap();
    let plan = |number: usize| DevicePlan {
        serial: 20_000_000 + u32::try_from(number).unwrap(),
        ..DevicePlan::conduit(&format!("gw-{number}"))
    };
    let devices = (0..gateways).map(plan).collect();
    let lab = Lab::start(LabPlan { devices, logs: None }).await.unwrap();
    let spot = |device: &rocade::lab::Device| Spot {
        name: device.plan.name.clone(),
        port: device.plan.ssh_port,
        password: device.plan.password.clone(),
        serial: device.plan.serial,
    };
    describe(&folder, &lab.devices().iter().map(spot).collect::<Vec<_>>());
    let known =
        |device: &rocade::lab::Device| format!("[127.0.0.1]:{} {}\n", device.plan.ssh_port, device.host_key);
    let known_hosts: String = lab.devices().iter().map(known).collect();
    std::fs::write(folder.path().join("inventory/known_hosts"), known_hosts).unwrap();
    (folder, lab)
}
