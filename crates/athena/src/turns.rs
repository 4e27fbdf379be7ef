//! Whose execution runs next: accounts share the turns, so that none waits for another's queue.
//!
//! 1. An account takes a turn only while as many are free as it has: alone it gets half of them, and the others get half of what is left,
//!    and so on. However many executions one account queues, the next account's first one runs at once.
//! 2. A turn that comes free goes to the account that has the fewest, within an account to whoever has waited longest.
//! 3. Whoever stops waiting takes nothing: a turn that was given to nobody is given back.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use kernel::AccountId;
use tokio::sync::oneshot;

/// Whether an account that has `own` of the `taken` ones may take another of `all`.
pub(crate) fn leaves_room(own: usize, taken: usize, all: usize) -> bool {
    own < all.saturating_sub(taken)
}

/// Turns of one kind of execution.
pub(crate) struct Turns {
    all: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    taken: usize,
    /// Of the accounts that have any.
    by_account: HashMap<AccountId, usize>,
    waiting: VecDeque<(AccountId, oneshot::Sender<Turn>)>,
}

/// The right to run, until it is dropped.
pub(crate) struct Turn {
    turns: Arc<Turns>,
    account: AccountId,
    /// Whether the next one waiting is to be told.
    passes_on: bool,
}

impl Turns {
    /// As many turns, of which one account gets half.
    pub(crate) fn new(all: usize) -> Arc<Self> {
        Arc::new(Self { all, state: Mutex::default() })
    }

    /// A turn, as soon as there is one. Whoever drops the future no longer waits.
    pub(crate) async fn take(self: &Arc<Self>, account: &AccountId) -> Option<Turn> {
        let (tell, told) = oneshot::channel();
        self.lock().waiting.push_back((account.clone(), tell));
        self.give();
        // The sender is dropped only when it has sent: the queue lives as long as whoever waits in it.
        told.await.ok()
    }

    /// Gives what is free to those who wait.
    fn give(self: &Arc<Self>) {
        while let Some((turn, waiting)) = self.next() {
            if let Err(mut turn) = waiting.send(turn) {
                turn.passes_on = false;
            }
        }
    }

    fn next(self: &Arc<Self>) -> Option<(Turn, oneshot::Sender<Turn>)> {
        let mut state = self.lock();
        state.waiting.retain(|(_, waiting)| !waiting.is_closed());
        let own = |account: &AccountId| state.by_account.get(account).copied().unwrap_or_default();
        let fits = |account: &AccountId| leaves_room(own(account), state.taken, self.all);
        let waiting = state.waiting.iter().enumerate().filter(|(_, (account, _))| fits(account));
        let (place, _) = waiting.min_by_key(|(place, (account, _))| (own(account), *place))?;
        let (account, waiting) = state.waiting.remove(place)?;
        state.taken += 1;
        *state.by_account.entry(account.clone()).or_default() += 1;
        drop(state);
        Some((Turn { turns: Arc::clone(self), account, passes_on: true }, waiting))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.turns.lock();
        state.taken -= 1;
        if let Some(own) = state.by_account.get_mut(&self.account) {
            *own -= 1;
            if *own == 0 {
                state.by_account.remove(&self.account);
            }
        }
        drop(state);
        if self.passes_on {
            self.turns.give();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::future::BoxFuture;

    use super::*;

    fn account(n: usize) -> AccountId {
        format!("{n:012}").parse().unwrap()
    }

    /// Turns that are taken, accounts that have any, and who waits.
    fn counts(turns: &Turns) -> (usize, usize, usize) {
        let state = turns.lock();
        (state.taken, state.by_account.len(), state.waiting.len())
    }

    /// A turn at once, or a place in the queue.
    fn ask(turns: &Arc<Turns>, n: usize) -> Result<Turn, BoxFuture<'static, Option<Turn>>> {
        let turns = Arc::clone(turns);
        let mut waiting = async move { turns.take(&account(n)).await }.boxed();
        match (&mut waiting).now_or_never() {
            Some(turn) => Ok(turn.unwrap()),
            None => Err(waiting),
        }
    }

    #[test]
    fn every_account_leaves_half_of_what_it_finds() {
        let turns = Turns::new(16);
        let taken: Vec<Vec<_>> =
            (0..6).map(|n| (0..100).map_while(|_| ask(&turns, n).ok()).collect()).collect();
        assert_eq!(taken.iter().map(Vec::len).collect::<Vec<_>>(), [8, 4, 2, 1, 1, 0]);
        drop(taken);
        assert_eq!(counts(&turns), (0, 0, 0));
    }

    #[test]
    fn who_has_fewest_is_next_and_then_who_has_waited_longest() {
        let turns = Turns::new(4);
        let mut busy = vec![ask(&turns, 1).ok().unwrap(), ask(&turns, 1).ok().unwrap()];
        let other = ask(&turns, 2).ok().unwrap();
        let mut first = ask(&turns, 1).err().unwrap();
        let mut second = ask(&turns, 1).err().unwrap();
        let third = ask(&turns, 3).ok().unwrap();
        let mut fourth = ask(&turns, 4).err().unwrap();
        busy.pop();
        assert!((&mut first).now_or_never().is_none(), "it has one, and nobody else waits with more");
        let fourth = (&mut fourth).now_or_never().flatten().unwrap();
        drop((other, third, fourth));
        let first = (&mut first).now_or_never().flatten().unwrap();
        assert!((&mut second).now_or_never().is_none());
        drop(busy);
        let second = (&mut second).now_or_never().flatten().unwrap();
        drop((first, second));
        assert_eq!(turns.lock().taken, 0);
    }

    #[test]
    fn who_stops_waiting_takes_nothing() {
        let turns = Turns::new(2);
        let turn = ask(&turns, 1).ok().unwrap();
        let gone: Vec<_> = (0..1_000).map(|_| ask(&turns, 1).err().unwrap()).collect();
        let mut patient = ask(&turns, 1).err().unwrap();
        drop(gone);
        drop(turn);
        let turn = (&mut patient).now_or_never().flatten().unwrap();
        // Told, but gone before it looked.
        let told = ask(&turns, 1).err().unwrap();
        drop(turn);
        assert_eq!(turns.lock().taken, 1);
        drop(told);
        assert_eq!(counts(&turns), (0, 0, 0));
    }
}
