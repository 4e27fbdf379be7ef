//! The corpora, and mutations of them, in every run of the tests: for seconds, and in the unattended run for minutes. A target is a test, so
//! that they run side by side.

use fuzz::mutate::Mutator;
use fuzz::{Body, Target, feed};

/// Any number, as long as it stays: a failure here is found again by running the same test.
const SEED: u64 = 20_260_101;

/// How many times as many mutations the unattended run makes: some two minutes of a processor. The longer run begins with the shorter one.
const UNATTENDED: u32 = 12;

fn corpus(target: &Target) -> Vec<(String, Vec<u8>)> {
    let entries =
        std::fs::read_dir(target.corpus()).unwrap_or_else(|error| panic!("{}: {error}", target.name));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    // The order of a folder is not everywhere the same, and mutations follow it.
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        (name, std::fs::read(path).expect("the file can be read"))
    };
    files.iter().map(read).collect()
}

/// What does not is shown by its panic.
fn passes(target: &Target, body: &mut Body, input: &[u8]) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| feed(target, body, input))).is_ok()
}

fn replay(name: &str) {
    let target = Target::named(name).unwrap_or_else(|| panic!("there is no target {name}"));
    let corpus = corpus(target);
    assert!(!corpus.is_empty(), "{name}: run `cargo run -p fuzz -- seeds`");
    let mut body = (target.start)();
    for (file, input) in &corpus {
        assert!(passes(target, &mut body, input), "{name}: {file} fails");
    }
    let inputs: Vec<Vec<u8>> = corpus.into_iter().map(|(_, input)| input).collect();
    let mut mutator = Mutator::new(&inputs, target.words, SEED);
    let times = if std::env::var_os("CI").is_some() { UNATTENDED } else { 1 };
    for n in 0..target.mutations * times {
        let input = mutator.input();
        assert!(
            passes(target, &mut body, &input),
            "{name}: mutation {n} fails: {:?}",
            String::from_utf8_lossy(&input)
        );
    }
}

macro_rules! replayed {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                replay(stringify!($name));
            }
        )*

        #[test]
        fn every_target_is_replayed() {
            let replayed: &[&str] = &[$(stringify!($name)),*];
            let targets: Vec<&str> = fuzz::targets::ALL.iter().map(|target| target.name).collect();
            assert_eq!(targets, replayed);
        }
    };
}

replayed! {
    http_request
    sigv4
    operation_input
    operation
    s3_body
    mqtt_packet
    mqtt_session
    certificate
    policy_document
    iot_sql
    athena_sql
}
