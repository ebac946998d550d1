//! The head office of the lab: the inventory of its telephone system, with every part a 3CX has.

use std::f32::consts::TAU;

/// The inventory of the telephone system at an address.
pub fn yaml(url: &str, client_id: &str) -> String {
    format!("{HEAD}    url: {url}\n    client_id: {client_id}\n{BODY}")
}

/// The prompts, WAV files by name: a short tone each, PCM, 8 kHz, 16 bit, mono.
pub fn prompts() -> [(&'static str, Vec<u8>); 3] {
    [("welcome.wav", tone(440.0)), ("closed.wav", tone(330.0)), ("holiday.wav", tone(262.0))]
}

fn tone(hertz: f32) -> Vec<u8> {
    const RATE: u16 = 8000;
    let samples: Vec<u8> = (0..RATE / 4)
        .map(|index| (f32::from(index) * TAU * hertz / f32::from(RATE)).sin() * 8000.0)
        // Between -8000 and 8000: the cast cuts off only what comes after the point.
        .flat_map(|sample| (sample as i16).to_le_bytes())
        .collect();
    let length = u32::try_from(samples.len()).unwrap_or(0);
    let mut file = b"RIFF".to_vec();
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    for word in [1_u16, 1] {
        file.extend(word.to_le_bytes());
    }
    file.extend(u32::from(RATE).to_le_bytes());
    file.extend((2 * u32::from(RATE)).to_le_bytes());
    for word in [2_u16, 16] {
        file.extend(word.to_le_bytes());
    }
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(samples);
    file
}

const HEAD: &str = "\
# yaml-language-server: $schema=../schema.json
pbx:
  head-office:
    model: 3cx
";

const BODY: &str = r##"    client_secret: {secret: pbx/head-office/client}
    site: pool
    unmanaged: report
    accept_unverified: [phones, router_phones, shared_voicemail]
    emergency_numbers: [112, 15, 17, 18]

    departments:
      sales:
        title: Sales
        timezone: Europe/Paris
        hours: {mon-thu: ["09:00-12:00", "14:00-18:00"], fri: ["09:00-12:00"]}
        breaks: {mon-thu: ["12:00-14:00"]}
        when_open: {to: {ring_group: "800"}}
        when_closed: {to: {ivr: "901"}, prompt: closed.wav}
        on_holiday: {to: {voicemail: "101"}, prompt: holiday.wav}
      support: {title: Support, timezone: Europe/Paris, hours: {mon-fri: ["08:00-18:00"]}}

    holidays:
      christmas: {title: Christmas, date: 12-25, departments: [sales, support]}
      summer:
        title: Summer closing
        date: 2027-08-09
        until: 2027-08-20
        departments: [sales]
        prompt: holiday.wav
      easter-monday: {title: Easter Monday, date: easter+1, years: [2027, 2028], departments: [sales]}

    extensions:
      "101":
        first_name: Ada
        last_name: Example
        email: ada@example.net
        mobile: +33612345678
        department: sales
        role: managers
        also_in: {support: users}
        two_factor: true
        voicemail: {pin: {secret: pbx/head-office/pin}, email: attachment}
        recording: {calls: external, may_control: true}
        follow_hours: true
        forwarding:
          available: {ring: 25s, no_answer: {ring_group: "800"}, busy: {voicemail: "101"}}
          out_of_office: {internal: {voicemail: "101"}, external: {queue: "850"}}
        phones: [{model: yealink-t54w, mac: 80:5e:c0:00:00:01}]
        blf: [102, 103, {key: 6, parking: SP1}, {queue_login: true}, {custom: +33123456789, first_name: Pool}]
      "102":
        first_name: Grace
        email: grace@example.net
        department: sales
        phones: [{model: yealink-t46s, mac: 80:5e:c0:00:00:02, sbc: paris01}]
        blf: [101]
      "103":
        first_name: Alan
        email: alan@example.net
        department: support
        phones: [{model: yealink-t57w, mac: 80:5e:c0:00:00:03, router: true}]
      "104":
        first_name: Hall
        department: support
        phones: [{model: yealink-t41s, mac: 80:5e:c0:00:00:04}]
      "190":
        first_name: Shared
        last_name: Mailbox
        email: office@example.net
        voicemail: {email: attachment_and_delete}

    ring_groups:
      "800":
        title: Sales
        department: sales
        members: [101, 102]
        strategy: ring_all
        timeout: 20s
        no_answer: {ring_group: "801"}
      "801":
        title: Overflow
        department: support
        members: [103, 104]
        strategy: hunt
        timeout: 15s
        no_answer: {queue: "850"}
        mailbox: {members: true, also: [office@example.net]}

    queues:
      "850":
        title: Waiting room
        department: support
        agents: [103, 101]
        managers: [101]
        strategy: longest_waiting
        ring: 20s
        timeout: 5m
        announce_position: true
        recording: allow_to_opt_out
        no_answer: {voicemail: "190"}

    ivrs:
      "900":
        title: Welcome
        department: sales
        prompt: welcome.wav
        keys: {1: {ring_group: "800"}, 2: {queue: "850"}, 3: {ivr: "901"}, 9: repeat}
        timeout: 5s
        no_key: {ring_group: "800"}
        when_closed: {to: {ivr: "901"}, prompt: closed.wav}
      "901":
        title: Closed
        prompt: closed.wav
        keys: {1: {voicemail: "190"}, 2: {ivr: "900"}}
        timeout: 5s
        no_key: {voicemail: "190"}

    trunks:
      operator:
        title: Operator
        template: generic.pv.xml
        host: sip.example.net
        port: 5060
        register: in_out_calls
        user: "0123456700"
        password: {secret: pbx/head-office/trunk}
        number: +33123456700
        dids: [+33123456700, +33123456701, +33123456702]
        calls: 8

    inbound_rules:
      main-number:
        title: Main number
        trunk: operator
        did: +33123456700
        hours: {mon-fri: ["08:30-18:30"]}
        to: {ivr: "900"}
        when_closed: {ivr: "901"}
        on_holiday: {voicemail: "190"}
      ada: {title: Ada, trunk: operator, did: +33123456701, to: {extension: "101"}}
      support:
        title: Support
        trunk: operator
        did: +33123456702
        to: {queue: "850"}
        when_closed: {voicemail: "190"}
      best-customer: {title: Best customer, trunk: operator, caller: "+3349900*", to: {extension: "101"}}
      other: {title: All other calls, trunk: operator, to: {ivr: "900"}}

    outbound_rules:
      emergency:
        title: Emergency
        prefixes: ["112", "15", "17", "18"]
        emergency: true
        priority: 1
        routes: [{trunk: operator}]
      france:
        title: France
        prefixes: ["0"]
        lengths: ["10"]
        departments: [sales, support]
        priority: 2
        routes: [{trunk: operator}]
      directory:
        title: Directory enquiries
        prefixes: ["118", "119"]
        from: ["101"]
        priority: 3
        routes: [{trunk: operator}]

    sbcs:
      paris01: {title: Paris, password: {secret: pbx/head-office/sbc}, security: tls}

    live_chat:
      shop:
        title: Shop
        department: sales
        to: {queue: "850"}
        websites: ["https://shop.example.net"]
        ask: name
"##;
