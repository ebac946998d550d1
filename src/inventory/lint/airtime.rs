//! How long a LoRa frame is on air, and how often the EU868 duty cycle lets it be sent.
//!
//! Semtech SX1276 datasheet, 4.1.1.6 "LoRa packet structure" and 4.1.1.7 "Time on air": 125 kHz, coding rate
//! 4/5, 8 symbols of preamble, explicit header, CRC; low data rate optimisation at SF11 and SF12 (LoRaWAN
//! Regional Parameters, EU863-870). 1 %: ETSI EN 300 220-2, bands K, L and M, where all its channels are.

use std::time::Duration;

/// What LoRaWAN 1.0.x adds to a payload: MHDR 1, FHDR 7 without options, FPort 1, MIC 4 bytes.
const LORAWAN_OVERHEAD_BYTES: u64 = 13;

/// The time on air of an uplink with a payload of so many bytes, at a spreading factor from 7 to 12.
pub(super) fn airtime(payload_bytes: u64, spreading_factor: u8) -> Duration {
    let factor = u64::from(spreading_factor.clamp(7, 12));
    let bits = 8 * (payload_bytes + LORAWAN_OVERHEAD_BYTES) + 28 + 16 - 4 * factor;
    let bits_per_block = 4 * if factor >= 11 { factor - 2 } else { factor };
    let quarter_symbols = 4 * 8 + 17 + 4 * (8 + 5 * bits.div_ceil(bits_per_block));
    // A symbol lasts 2^SF / 125 kHz = 2^SF * 8 us, a quarter of it 2^SF * 2 us.
    Duration::from_micros(quarter_symbols * (2 << factor))
}

/// The shortest period, in whole seconds, at which frames of this airtime keep to 1 %.
pub(super) fn shortest_period_seconds(airtime: Duration) -> u64 {
    (airtime * 100).as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn airtimes_are_those_of_a_public_calculator() {
        // Payload bytes, spreading factor, milliseconds: The Things Network's calculator.
        let cases = [
            (10, 7, 61.7),
            (10, 9, 205.8),
            (10, 11, 823.3),
            (10, 12, 1482.8),
            (51, 10, 698.4),
            (51, 12, 2793.5),
        ];
        for (bytes, factor, milliseconds) in cases {
            let found = airtime(bytes, factor).as_secs_f64() * 1000.0;
            assert!((found - milliseconds).abs() < 0.06, "{bytes} bytes at SF{factor}: {found}");
        }
    }

    #[test]
    fn one_percent_is_a_hundred_airtimes() {
        assert_eq!(shortest_period_seconds(Duration::from_micros(1_482_752)), 149);
        assert_eq!(shortest_period_seconds(Duration::from_millis(50)), 5);
    }
}
