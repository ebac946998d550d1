//! The head office of the lab: the sample of the repository, with every part a 3CX has, on the simulated one.

/// The sample's telephone system.
const SAMPLE: &str = include_str!("../../inventory/head-office.yaml");
/// Where the sample's telephone system answers.
const ADDRESS: &str = "https://example.my3cx.fr";

/// What the sample's SBC has besides, on a machine the lab does not have.
const MACHINE: [&str; 2] = ["        host: sbc-", "        provisioning_link: "];

/// The inventory of the telephone system at an address.
pub fn yaml(url: &str) -> String {
    let lines = SAMPLE.split_inclusive('\n');
    let own: String = lines.filter(|line| !MACHINE.iter().any(|word| line.starts_with(word))).collect();
    own.replace(ADDRESS, url).replace("unmanaged: keep  ", "unmanaged: report")
}

/// The prompts it plays, WAV files by name.
pub fn prompts() -> [(&'static str, &'static [u8]); 3] {
    [
        ("welcome.wav", include_bytes!("../../inventory/prompts/welcome.wav")),
        ("closed.wav", include_bytes!("../../inventory/prompts/closed.wav")),
        ("holiday.wav", include_bytes!("../../inventory/prompts/holiday.wav")),
    ]
}
