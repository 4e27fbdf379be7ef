//! `fuzz seeds` writes the first files of every corpus; `fuzz <target> <file>…` feeds files, to see a failure again.
//!
//! Built with coverage (`cargo xtask fuzz`) this is libFuzzer instead, with the target that `HEADWATER_FUZZ` names.
#![cfg_attr(libfuzzer, no_main)]
#![cfg_attr(
    not(libfuzzer),
    expect(clippy::print_stdout, reason = "a command-line tool speaks on its standard streams")
)]

#[cfg(libfuzzer)]
mod guided {
    //! libFuzzer calls one function for every input; what takes them is made once.

    use std::cell::RefCell;

    use fuzz::{Body, Target, feed};

    type Started = (&'static Target, Body);

    thread_local! {
        static STARTED: RefCell<Option<Started>> = const { RefCell::new(None) };
    }

    #[expect(clippy::disallowed_methods, reason = "libFuzzer's own command line has no room for it")]
    fn start() -> Started {
        let name = std::env::var("HEADWATER_FUZZ").unwrap_or_default();
        let target =
            Target::named(&name).unwrap_or_else(|| panic!("HEADWATER_FUZZ names no target: {name:?}"));
        (target, (target.start)())
    }

    libfuzzer_sys::fuzz_target!(|input: &[u8]| {
        STARTED.with_borrow_mut(|started| {
            let (target, body) = started.get_or_insert_with(start);
            feed(target, body, input);
        });
    });
}

#[cfg(not(libfuzzer))]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["seeds"] => {
            for target in fuzz::targets::ALL {
                let seeds = (target.seeds)();
                std::fs::create_dir_all(target.corpus())?;
                for (n, seed) in seeds.iter().enumerate() {
                    std::fs::write(target.corpus().join(format!("seed-{n:03}")), seed)?;
                }
                println!("{}: {} seeds", target.name, seeds.len());
            }
            Ok(())
        }
        ["list"] => {
            for target in fuzz::targets::ALL {
                println!("{:<18}{}", target.name, target.about);
            }
            Ok(())
        }
        [name, files @ ..] if !files.is_empty() => {
            let target = fuzz::Target::named(name).ok_or_else(|| format!("there is no target {name}"))?;
            let mut body = (target.start)();
            for file in files {
                fuzz::feed(target, &mut body, &std::fs::read(file)?);
                println!("{file}: passes");
            }
            Ok(())
        }
        _ => Err("fuzz seeds | fuzz list | fuzz <target> <file>…".into()),
    }
}
