//! Makes files for new segments ahead of their need, on a thread of its own: filling one with zeros takes longer than an append
//! may wait.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::disk::Disk;
use super::recovery::{Spare, file_name};

/// One file is in the making at most.
pub(super) struct Allocator {
    orders: Option<SyncSender<()>>,
    made: Receiver<io::Result<Spare>>,
    pending: bool,
    thread: Option<JoinHandle<()>>,
}

impl Allocator {
    /// Starts the thread. Files are named from `next_file` on.
    pub(super) fn start(disk: Arc<dyn Disk>, bytes: u64, next_file: u64) -> io::Result<Self> {
        let (orders, ordered) = sync_channel(1);
        let (done, made) = sync_channel(1);
        let thread = kernel::thread("log-allocate", move || {
            for (number, ()) in (next_file..).zip(ordered) {
                let name = file_name(number);
                let spare = disk.create(&name, bytes).map(|file| Spare { name, file });
                if done.send(spare).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { orders: Some(orders), made, pending: false, thread: Some(thread) })
    }

    /// Has a file made if none is in the making.
    pub(super) fn order(&mut self) {
        if !self.pending {
            self.pending = self.orders.as_ref().is_some_and(|orders| orders.try_send(()).is_ok());
        }
    }

    /// The file in the making, or a new one.
    pub(super) fn wait(&mut self) -> io::Result<Spare> {
        self.order();
        self.pending = false;
        self.made.recv().unwrap_or_else(|_| Err(io::Error::other("the thread that makes segments has ended")))
    }
}

impl Drop for Allocator {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // Its panic has been printed; there is nothing left to do for it.
            thread.join().unwrap_or(());
        }
    }
}
