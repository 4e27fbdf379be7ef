//! Recordings: beats of a human heart with their times. Where they come from is told in `data/README.md`.

use std::time::Duration;

/// One beat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beat {
    /// Since the start of the recording.
    pub at: Duration,
    /// Beats per minute, from this beat's distance to the one before.
    pub heart_rate: u16,
}

/// A person's beats, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// The record's name.
    pub name: String,
    /// At least one.
    pub beats: Vec<Beat>,
}

/// The recordings that come with the program.
pub fn recordings() -> Vec<Recording> {
    parse(include_str!("../data/heartbeats.csv"))
}

/// Lines of `recording,seconds,bpm` after a header; what is not such a line is passed over.
fn parse(text: &str) -> Vec<Recording> {
    let mut recordings: Vec<Recording> = Vec::new();
    for line in text.lines().skip(1) {
        let mut fields = line.split(',');
        let (Some(name), Some(seconds), Some(rate)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let (Ok(seconds), Ok(heart_rate)) = (seconds.parse::<f64>(), rate.trim().parse()) else { continue };
        let Ok(at) = Duration::try_from_secs_f64(seconds) else { continue };
        let beat = Beat { at, heart_rate };
        match recordings.last_mut() {
            Some(recording) if recording.name == name => recording.beats.push(beat),
            _ => recordings.push(Recording { name: name.to_owned(), beats: vec![beat] }),
        }
    }
    recordings
}

impl Recording {
    /// How long it lasts.
    pub fn length(&self) -> Duration {
        self.beats.last().map_or(Duration::ZERO, |beat| beat.at)
    }
}

/// `LOW` under 60, `HIGH` over 100, `NORMAL` between.
pub(crate) fn rate_type(heart_rate: u16) -> &'static str {
    match heart_rate {
        ..60 => "LOW",
        60..=100 => "NORMAL",
        101.. => "HIGH",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recordings_are_whole_and_in_order() {
        let recordings = recordings();
        assert_eq!(recordings.iter().map(|r| r.beats.len()).sum::<usize>(), 8020);
        assert_eq!(recordings.len(), 4);
        for recording in &recordings {
            assert!(recording.beats.is_sorted_by_key(|beat| beat.at), "{}", recording.name);
        }
        assert_eq!(recordings[0].beats[0], Beat { at: Duration::from_millis(1028), heart_rate: 74 });
    }

    #[test]
    fn the_bounds_are_normal() {
        assert_eq!([59, 60, 100, 101].map(rate_type), ["LOW", "NORMAL", "NORMAL", "HIGH"]);
    }
}
