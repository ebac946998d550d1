//! The inventory as its users meet it: whole files in, findings out.

use std::path::Path;

#[test]
fn the_sample_is_accepted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let loaded = rocade::inventory::load(root).unwrap_or_else(|report| panic!("{report}"));
    let inventory = &loaded.inventory;
    assert_eq!(*inventory.gateways["pool-gw"].site, "pool");
    assert_eq!(inventory.sensors["pool-plant-room"].dev_eui.0.to_string(), "0018210000012345");
    assert_eq!(inventory.sensors["pool-hall"].dev_eui.place.to_string(), "inventory/pool.yaml:24:14");
    assert!(inventory.pki.is_some());
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}
