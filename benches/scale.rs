//! How validating and planning grow with the inventory: gateways with a hundred sensors each, from YAML files.
//!
//! `cargo bench --bench scale` prints times; `ROCADE_BENCH_MEMORY=1` prints the peak memory of each size as well.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rocade::inventory::{self, Inventory};
use rocade::model::{Observed, Secret, Wish};
use rocade::plan::{self, Pair};
use rocade::providers::{Fault, Found, Leaf, Lookup, Provider, conduit::ConduitProvider};

const SENSORS_A_GATEWAY: usize = 100;
const SIZES: [usize; 3] = [10, 100, 1_000];

/// Every secret is made from its path: opening real ones is measured apart.
struct Shelf;

impl Lookup for Shelf {
    fn secret(&self, path: &str) -> Result<Found<Secret>, Fault> {
        use sha2::Digest;
        let key = hex::encode(&sha2::Sha256::digest(path.as_bytes())[..16]);
        Ok(Found::Ready(Secret::new(key, format!("{path}@bench"))))
    }

    fn minted(&self, path: &str) -> Result<Found<Secret>, Fault> {
        self.secret(path)
    }

    fn authority(&self) -> Result<Found<String>, Fault> {
        Ok(Found::Ready("root".to_owned()))
    }

    fn leaf(&self, name: &str) -> Result<Found<Leaf>, Fault> {
        Ok(Found::Ready(Leaf { chain_pem: name.to_owned(), key_pem: Secret::new("key", "bench") }))
    }

    fn source(&self, path: &str) -> Result<Vec<u8>, Fault> {
        Ok(path.as_bytes().to_vec())
    }

    fn sources(&self, folder: &str) -> Vec<String> {
        vec![format!("{folder}/main.py")]
    }

    fn render(&self, path: &str, _context: &serde_json::Value) -> Result<String, Fault> {
        Ok(path.to_owned())
    }
}

/// One file a gateway with its sensors, and one for the rest.
fn write_inventory(root: &Path, gateways: usize) {
    let folder = root.join("inventory");
    fs::create_dir_all(&folder).unwrap();
    let rest = "sites:\n  pool: {title: Pool}\npki:\n  authority: {name: Bench Root}\nbrokers:\n  main:\n    \
                model: mosquitto\n    address: broker.example.net\n    names: [broker.example.net]\n    \
                listeners: {mqtts: {port: 8883}}\n";
    fs::write(folder.join("site.yaml"), rest).unwrap();
    for gateway in 0..gateways {
        let mut text = format!(
            "gateways:\n  gw-{gateway}:\n    site: pool\n    model: multitech-conduit\n    address: \
             gw-{gateway}.example.net\n    lorawan: {{region: EU868, network_key: {{secret: \
             gateways/gw-{gateway}/network}}}}\n    relay: {{broker: main}}\nsensors:\n"
        );
        for sensor in 0..SENSORS_A_GATEWAY {
            let number = gateway * SENSORS_A_GATEWAY + sensor;
            let _ = write!(
                text,
                "  s-{number}:\n    gateway: gw-{gateway}\n    model: adeunis-comfort-co2\n    dev_eui: \
                 0018B210{number:08X}\n    app_eui: 0018B24441524632\n    app_key: {{secret: \
                 sensors/s-{number}/app_key}}\n    period: 10m\n    topic: sites/pool/s-{number}\n"
            );
        }
        fs::write(folder.join(format!("gw-{gateway}.yaml")), text).unwrap();
    }
}

fn wishes(inventory: &Inventory) -> Vec<Wish> {
    let provider = ConduitProvider;
    provider
        .sites(inventory)
        .iter()
        .map(|site| {
            provider.desire(inventory, &site.target, &Shelf).unwrap_or_else(|faults| panic!("{faults:?}"))
        })
        .collect()
}

fn plan_of(wishes: &[Wish], observed: &BTreeMap<&str, Observed>) -> usize {
    let table = ConduitProvider.collections();
    let pairs: Vec<Pair<'_>> = wishes
        .iter()
        .map(|wish| Pair { wish, observed: &observed[wish.target.name.as_str()], table })
        .collect();
    plan::make(&pairs).changes.len()
}

fn peak_memory(what: &str) {
    if std::env::var_os("ROCADE_BENCH_MEMORY").is_some()
        && let Ok(status) = fs::read_to_string("/proc/self/status")
        && let Some(line) = status.lines().find(|line| line.starts_with("VmHWM"))
    {
        eprintln!("{what}: {line}");
    }
}

fn scale(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("inventory");
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(5));
    for gateways in SIZES {
        let folder = tempfile::tempdir().unwrap();
        write_inventory(folder.path(), gateways);
        group.throughput(Throughput::Elements((gateways * SENSORS_A_GATEWAY) as u64));
        group.bench_with_input(BenchmarkId::new("validate", gateways), &gateways, |bench, _| {
            bench.iter(|| black_box(inventory::load(folder.path()).unwrap().inventory.sensors.len()));
        });
        let loaded = inventory::load(folder.path()).unwrap();
        group.bench_with_input(BenchmarkId::new("wishes", gateways), &gateways, |bench, _| {
            bench.iter(|| black_box(wishes(&loaded.inventory).len()));
        });
        let wished = wishes(&loaded.inventory);
        let observed: BTreeMap<&str, Observed> = wished
            .iter()
            .map(|wish| (wish.target.name.as_str(), Observed::new(wish.target.clone())))
            .collect();
        group.bench_with_input(BenchmarkId::new("plan", gateways), &gateways, |bench, _| {
            bench.iter(|| black_box(plan_of(&wished, &observed)));
        });
        peak_memory(&format!("{gateways} gateways"));
    }
    group.finish();
}

criterion_group!(benches, scale);
criterion_main!(benches);
