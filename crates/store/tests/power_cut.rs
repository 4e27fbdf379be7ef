//! Power cuts under load, on a real file system: what was acknowledged before the cut is there after it.
//!
//! An ext4 image is mounted through a loop device. A child process (this program, asked to write) appends or commits and
//! reports each acknowledgement on its standard output. At some moment the file system is shut down without flushing its
//! journal (`power_cut.py`), the child is killed, the image mounted again, and what is found compared with the number of
//! acknowledgements counted *before* the cut: a sync in flight during the shutdown may return success though nothing reached the
//! image. The same is done with writers that do not sync, which must lose something, or the test proves nothing.
//!
//! Needs root, loop devices, ext4 and Python; where they are missing it says so and passes.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures::future::join_all;
use kernel::{Entropy, Metrics, SystemClock};
use store::log::segment::disk::{DirectoryDisk, Disk, DiskFile};
use store::log::segment::{Config, SegmentLog};
use store::meta::local::LocalMetaStore;
use store::{Batch, CommitLog, LogId, MetaStore, Offset};

/// Records that stay when the writer trims.
const KEPT: u64 = 2000;

/// Cuts of each writer that syncs.
const TRIALS: u64 = 4;

#[expect(clippy::print_stdout, reason = "a test without a harness speaks for itself")]
fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [word, writer, directory] = arguments.as_slice()
        && word == "write"
    {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(write(writer, Path::new(directory)));
        return ExitCode::SUCCESS;
    }
    if arguments.iter().any(|argument| argument == "--list") {
        if !arguments.iter().any(|argument| argument == "--ignored") {
            println!("power_cut: test");
        }
        return ExitCode::SUCCESS;
    }
    match Bench::new() {
        Err(reason) => println!("SKIP power_cut: {reason}"),
        Ok(bench) => run(&bench),
    }
    ExitCode::SUCCESS
}

#[expect(clippy::print_stdout, reason = "as above")]
fn run(bench: &Bench) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for (writer, trials) in [("log", TRIALS), ("meta", TRIALS), ("log-unsynced", 1), ("meta-unsynced", 1)] {
        for trial in 0..trials {
            let acknowledged = bench.cut(writer, 300 + 450 * trial);
            let found = bench.mounted(|directory| runtime.block_on(found(writer, directory)));
            println!("{writer}: {acknowledged} acknowledged, {found} found");
            if writer.ends_with("unsynced") {
                assert!(found < acknowledged, "{writer}: nothing was lost, so the cut was none");
            } else {
                assert!(found >= acknowledged, "{writer}: {acknowledged} acknowledged, {found} found");
            }
        }
    }
}

fn config() -> Config {
    Config { segment_bytes: 1 << 20, log_bytes_max: 16 << 20, ..Config::default() }
}

fn open_log(disk: Arc<dyn Disk>) -> Option<SegmentLog> {
    SegmentLog::open_on(disk, config(), Arc::new(SystemClock), Entropy::from_os(), &Metrics::default()).ok()
}

/// Writes until the disk fails, and reports how many records are acknowledged.
async fn write(writer: &str, directory: &Path) {
    let mut out = std::io::stdout();
    let mut report = |count: u64| out.write_all(&count.to_le_bytes()).and_then(|()| out.flush()).is_ok();
    let disk = || DirectoryDisk::open(&directory.join("log")).expect("a directory");
    match writer {
        "log" => write_log(open_log(Arc::new(disk())).expect("a log"), report).await,
        "log-unsynced" => write_log(open_log(Arc::new(Unsynced(disk()))).expect("a log"), report).await,
        "meta" => {
            let store = LocalMetaStore::open(&directory.join("meta.sqlite")).expect("a store");
            for count in (0..).step_by(4) {
                let put = |n: u64| store.commit(Batch::default().put(n.to_be_bytes(), vec![b'x'; 300]));
                if join_all((count..count + 4).map(put)).await.iter().any(Result::is_err)
                    || !report(count + 4)
                {
                    return;
                }
            }
        }
        _ => {
            let connection = raw(directory).expect("a database");
            for n in 0u64.. {
                let put = connection.execute("INSERT INTO meta VALUES (?1)", [n.cast_signed()]);
                if put.is_err() || !report(n + 1) {
                    return;
                }
            }
        }
    }
}

async fn write_log(log: SegmentLog, mut report: impl FnMut(u64) -> bool) {
    let name = LogId::new("cut", &[]);
    let mut count = 0;
    loop {
        let batch = |first: u64| (first..first + 5).map(payload).collect::<Vec<_>>();
        let appends = (0..4).map(|nth| log.append(&name, batch(count + 5 * nth)));
        if join_all(appends).await.iter().any(Result::is_err) {
            return;
        }
        count += 20;
        if !report(count) || log.trim(&name, Offset(count.saturating_sub(KEPT))).await.is_err() {
            return;
        }
    }
}

fn payload(n: u64) -> Bytes {
    n.to_le_bytes().repeat(10 + usize::try_from(n % 90).expect("less than 90")).into()
}

fn raw(directory: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open(directory.join("unsynced.sqlite"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.execute_batch("CREATE TABLE IF NOT EXISTS meta (n INTEGER PRIMARY KEY)")?;
    Ok(connection)
}

/// How many records or keys are there, counted from the first ever written; checks that they are what was written.
async fn found(writer: &str, directory: &Path) -> u64 {
    match writer {
        "log" | "log-unsynced" => {
            let disk = DirectoryDisk::open(&directory.join("log")).expect("a directory");
            let Some(log) = open_log(Arc::new(disk)) else { return 0 };
            let name = LogId::new("cut", &[]);
            let bounds = log.bounds(&name);
            let Ok(records) = log.read(&name, bounds.first, usize::MAX).await else { return 0 };
            assert!(records.iter().all(|record| record.payload == payload(record.offset.0)));
            if writer == "log" {
                assert_eq!(records.len() as u64, bounds.next.0 - bounds.first.0);
                assert!(records.len() as u64 >= bounds.next.0.min(KEPT));
                assert_eq!(bounds.next.0 % 5, 0, "a batch is torn");
            }
            bounds.next.0
        }
        "meta" => {
            let store = LocalMetaStore::open(&directory.join("meta.sqlite")).expect("the store opens");
            let page = store.scan(&[], None, usize::MAX).await.expect("a scan");
            for (n, (key, _)) in (0u64..).zip(&page) {
                assert_eq!(key.as_slice(), n.to_be_bytes());
            }
            assert_eq!(store.revision().0, page.len() as u64);
            page.len() as u64
        }
        _ => {
            let count = |connection: &rusqlite::Connection| {
                connection.query_row("SELECT count(*) FROM meta", [], |row| row.get::<_, i64>(0))
            };
            raw(directory).and_then(|connection| count(&connection)).map_or(0, i64::cast_unsigned)
        }
    }
}

/// A disk whose files do not sync.
struct Unsynced(DirectoryDisk);

struct UnsyncedFile(Arc<dyn DiskFile>);

impl Disk for Unsynced {
    fn list(&self) -> std::io::Result<Vec<String>> {
        self.0.list()
    }

    fn open(&self, name: &str) -> std::io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(UnsyncedFile(self.0.open(name)?)))
    }

    fn create(&self, name: &str, bytes: u64) -> std::io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(UnsyncedFile(self.0.create(name, bytes)?)))
    }

    fn remove(&self, name: &str) -> std::io::Result<()> {
        self.0.remove(name)
    }
}

impl DiskFile for UnsyncedFile {
    fn size(&self) -> std::io::Result<u64> {
        self.0.size()
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> std::io::Result<()> {
        self.0.read_at(buffer, position)
    }

    fn write_at(&self, bytes: &[u8], position: u64) -> std::io::Result<()> {
        self.0.write_at(bytes, position)
    }

    fn sync(&self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An image, and where it is mounted. Unmounts what is mounted when dropped.
struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    /// Finds out whether the power can be cut here.
    fn new() -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let bench = Self { directory };
        std::fs::create_dir(bench.mount_point()).map_err(|error| error.to_string())?;
        command("python3", &["--version"])?;
        bench.format()?;
        bench.mount()?;
        bench.arm()?.cut()?;
        bench.unmount();
        Ok(bench)
    }

    fn image(&self) -> PathBuf {
        self.directory.path().join("image")
    }

    fn mount_point(&self) -> PathBuf {
        self.directory.path().join("mounted")
    }

    fn format(&self) -> Result<(), String> {
        let image = std::fs::File::create(self.image()).map_err(|error| error.to_string())?;
        image.set_len(64 << 20).map_err(|error| error.to_string())?;
        command("mkfs.ext4", &["-q", "-F", &self.image().to_string_lossy()])
    }

    fn mount(&self) -> Result<(), String> {
        command(
            "mount",
            &["-o", "loop", &self.image().to_string_lossy(), &self.mount_point().to_string_lossy()],
        )
    }

    fn unmount(&self) {
        command("umount", &[&self.mount_point().to_string_lossy()]).expect("the image is not in use");
    }

    /// Starts the script that will cut the power, so that between counting and cutting nothing is started.
    fn arm(&self) -> Result<Cutter, String> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/power_cut.py");
        let mut command = Command::new("python3");
        command.arg(script).arg(self.mount_point()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut script = Killed(command.stderr(Stdio::null()).spawn().map_err(|error| error.to_string())?);
        let mut ready = [0; 6];
        let out = script.0.stdout.as_mut().ok_or("its output is piped")?;
        out.read_exact(&mut ready).map_err(|error| format!("power_cut.py: {error}"))?;
        Ok(Cutter(script))
    }

    /// Lets a writer run on a new image until it has this many acknowledgements and cuts the power. Answers how many there
    /// were before.
    fn cut(&self, writer: &str, acknowledgements: u64) -> u64 {
        self.format().and_then(|()| self.mount()).expect("it could be mounted before");
        let program = std::env::current_exe().expect("this program has a path");
        let mut command = Command::new(program);
        command.args(["write", writer]).arg(self.mount_point()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = Killed(command.spawn().expect("this program runs"));
        let mut out = child.0.stdout.take().expect("its output is piped");
        let acknowledged = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&acknowledged);
        let (enough, reached) = std::sync::mpsc::channel();
        let reader = kernel::thread("acknowledgements", move || {
            let mut count = [0; 8];
            while out.read_exact(&mut count).is_ok() {
                counted.store(u64::from_le_bytes(count), Ordering::SeqCst);
                if u64::from_le_bytes(count) >= acknowledgements {
                    enough.send(()).unwrap_or(());
                }
            }
        });
        let cutter = self.arm().expect("it could be cut before");
        reached.recv().expect("the writer writes");
        let before = acknowledged.load(Ordering::SeqCst);
        cutter.cut().expect("it could be cut before");
        drop(child);
        reader.expect("a thread starts").join().expect("the reader does not panic");
        self.unmount();
        before
    }

    /// Looks at the image as the next boot finds it.
    fn mounted<T>(&self, look: impl FnOnce(&Path) -> T) -> T {
        self.mount().expect("the journal is replayed");
        let found = look(&self.mount_point());
        self.unmount();
        found
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Mounted still only if a test has failed.
        Command::new("umount").arg("-q").arg(self.mount_point()).stderr(Stdio::null()).status().ok();
    }
}

/// The script, ready to cut.
struct Cutter(Killed);

impl Cutter {
    fn cut(mut self) -> Result<(), String> {
        drop(self.0.0.stdin.take());
        let status = self.0.0.wait().map_err(|error| error.to_string())?;
        status.success().then_some(()).ok_or_else(|| "the file system cannot be shut down".to_owned())
    }
}

/// A process that does not outlive its owner.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("a child can be killed");
    }
}

fn command(program: &str, arguments: &[&str]) -> Result<(), String> {
    let run =
        Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    if run.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&run.stderr);
    Err(format!("{program}: {}", text.lines().next().unwrap_or("failed")))
}
