//! Memory, and what there is when there is none.
//!
//! Where an allocation fails, Rust ends the process; here that would be sshd or
//! su. So what the C library cannot give comes from a reserve, large enough for
//! one login, and the login ends as a denial: [`Watch`] tells.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

#[cfg_attr(not(any(test, miri)), global_allocator)]
#[cfg_attr(any(test, miri), expect(dead_code, reason = "a test has its own"))]
static MEMORY: Memory = Memory;

static RESERVE: Reserve<ROOM> = Reserve::new();

/// Bytes in the reserve; they are address space until they are touched. A login
/// takes 30 KiB; one with the longest answer that SSH can carry, 256 KiB, takes
/// 560 KiB. How much more a record may take is asked before it is parsed.
const ROOM: usize = 1 << 20;

/// Whether the reserve has been touched since.
#[derive(Debug)]
pub(crate) struct Watch {
    uses: usize,
}

impl Watch {
    /// From now on.
    pub(crate) fn start() -> Self {
        Self {
            uses: RESERVE.uses.load(Ordering::Relaxed),
        }
    }

    /// By whichever thread: that of two logins at once both are denied for want
    /// of memory is no harm.
    pub(crate) fn starved(&self) -> bool {
        RESERVE.uses.load(Ordering::Relaxed) != self.uses
    }
}

/// Whether these lie in the reserve: what was allocated before a watch began.
pub(crate) fn from_reserve<T>(items: &[T]) -> bool {
    RESERVE.owns(items.as_ptr().cast())
}

/// The C library's memory, then the reserve's.
struct Memory;

// SAFETY: both of its sources give blocks of the layout that was asked for, each
// of them exclusively, until they are given back; a block goes back to where it
// came from, which its address tells. Neither panics.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise on the layout is the one that is asked.
        let block = unsafe { System.alloc(layout) };
        if block.is_null() {
            RESERVE.take(layout)
        } else {
            block
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let block = unsafe { System.alloc_zeroed(layout) };
        if !block.is_null() {
            return block;
        }
        let block = RESERVE.take(layout);
        if !block.is_null() {
            // SAFETY: a block of the reserve has the layout's size.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if RESERVE.owns(block) {
            RESERVE.give_back(block, layout);
        } else {
            // SAFETY: whatever is not the reserve's is the C library's, and the
            // caller promises that block and layout belong together.
            unsafe { System.dealloc(block, layout) }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if RESERVE.owns(block) {
            // What began in the reserve stays there: its address says that
            // memory was short.
            // SAFETY: the block is the reserve's, of this layout; the caller
            // promises that the new size is a valid one.
            return unsafe { RESERVE.resize(block, layout, size) };
        }
        // SAFETY: the block is the C library's, and the caller's promises are
        // those that are asked.
        let larger = unsafe { System.realloc(block, layout, size) };
        if !larger.is_null() {
            return larger;
        }
        // SAFETY: the caller promises that the size is valid for the alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        let larger = RESERVE.take(wanted);
        if !larger.is_null() {
            // SAFETY: two blocks of two sources do not overlap, and each is at
            // least as long as the shorter size. The old one is valid until it
            // is given back, once, with its own layout.
            unsafe {
                ptr::copy_nonoverlapping(block, larger, layout.size().min(size));
                System.dealloc(block, layout);
            }
        }
        larger
    }
}

/// A room of which blocks are cut one after the other. The block that was cut
/// last can be given back to be cut anew; when none is in use, the whole room is
/// free again.
struct Reserve<const ROOM: usize> {
    room: UnsafeCell<[MaybeUninit<u8>; ROOM]>,
    /// Bytes cut off (low half) and blocks in use (high half): one word, so that
    /// no thread sees one without the other.
    taken: AtomicU64,
    /// How many blocks were ever cut.
    uses: AtomicUsize,
}

// SAFETY: bytes of the room are handed out by a compare-and-swap of the one
// word, so each is in one block at most; nothing here reads or writes them but
// for whoever has the block.
unsafe impl<const ROOM: usize> Sync for Reserve<ROOM> {}

const ONE_BLOCK: u64 = 1 << 32;
const BYTES: u64 = ONE_BLOCK - 1;

impl<const ROOM: usize> Reserve<ROOM> {
    const fn new() -> Self {
        assert!((ROOM as u64) < BYTES, "a half word counts its bytes");
        Self {
            room: UnsafeCell::new([MaybeUninit::uninit(); ROOM]),
            taken: AtomicU64::new(0),
            uses: AtomicUsize::new(0),
        }
    }

    fn start(&self) -> *mut u8 {
        self.room.get().cast()
    }

    fn owns(&self, block: *const u8) -> bool {
        // A block of no bytes may lie at the very end, but nobody asks for one.
        block
            .addr()
            .checked_sub(self.start().addr())
            .is_some_and(|offset| offset < ROOM)
    }

    /// A block, or null if there is no room.
    fn take(&self, layout: Layout) -> *mut u8 {
        let mut at = 0;
        let cut = self.change(|bytes, blocks| {
            let end = self.start().addr().checked_add(bytes)?;
            let aligned = end.checked_next_multiple_of(layout.align())?;
            at = bytes.checked_add(aligned.checked_sub(end)?)?;
            Some((at.checked_add(layout.size())?, blocks.checked_add(1)?))
        });
        if !cut {
            return ptr::null_mut();
        }
        self.uses.fetch_add(1, Ordering::Relaxed);
        // SAFETY: `at` was checked to lie within the room.
        unsafe { self.start().add(at) }
    }

    /// Takes note that a block of this layout is in use no more.
    fn give_back(&self, block: *mut u8, layout: Layout) {
        let at = self.offset(block);
        self.change(|bytes, blocks| match blocks.saturating_sub(1) {
            0 => Some((0, 0)),
            left if bytes == at.saturating_add(layout.size()) => Some((at, left)),
            left => Some((bytes, left)),
        });
    }

    fn offset(&self, block: *mut u8) -> usize {
        block.addr().saturating_sub(self.start().addr())
    }

    /// Makes a block longer or shorter, where it is if it can.
    ///
    /// # Safety
    ///
    /// The block is this reserve's, of this layout, and in use by the caller
    /// alone; the size is valid for the layout's alignment.
    unsafe fn resize(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if size <= layout.size() {
            return block;
        }
        // The block that was cut last can grow on.
        let at = self.offset(block);
        let old_end = at.saturating_add(layout.size());
        if self.change(|bytes, blocks| {
            (bytes == old_end)
                .then(|| at.checked_add(size))
                .flatten()
                .map(|end| (end, blocks))
        }) {
            return block;
        }
        // SAFETY: the caller promises a valid size for this alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        let larger = self.take(wanted);
        if !larger.is_null() {
            // SAFETY: two blocks in use do not overlap, and both are at least
            // as long as the old size.
            unsafe { ptr::copy_nonoverlapping(block, larger, layout.size()) };
            self.give_back(block, layout);
        }
        larger
    }

    /// Changes bytes cut off and blocks in use, both at once; false if `change`
    /// will not, or would cut more than there is.
    fn change(&self, mut change: impl FnMut(usize, u64) -> Option<(usize, u64)>) -> bool {
        let changed = self
            .taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
                // Never more than ROOM, which is a usize.
                let bytes = (taken & BYTES) as usize;
                let (bytes, blocks) = change(bytes, taken / ONE_BLOCK)?;
                (bytes <= ROOM)
                    .then(|| blocks.checked_mul(ONE_BLOCK))
                    .flatten()
                    .map(|blocks| blocks | bytes as u64)
            });
        changed.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[test]
    fn blocks_do_not_overlap_and_are_aligned() {
        let reserve: Reserve<4096> = Reserve::new();
        let mut blocks = Vec::new();
        for (fill, (size, align)) in [(1, 1), (3, 8), (64, 64), (7, 1), (100, 512)]
            .into_iter()
            .enumerate()
        {
            let block = reserve.take(layout(size, align));
            assert!(reserve.owns(block) && block.addr() % align == 0);
            // SAFETY: the block has this size.
            unsafe { block.write_bytes(u8::try_from(fill).unwrap(), size) };
            blocks.push((block, size, fill));
        }
        for (block, size, fill) in blocks {
            // SAFETY: the block has this size, and was written above.
            let content = unsafe { std::slice::from_raw_parts(block, size) };
            assert!(content.iter().all(|byte| usize::from(*byte) == fill));
        }
    }

    #[test]
    fn a_full_reserve_gives_nothing_and_an_empty_one_all_again() {
        let reserve: Reserve<64> = Reserve::new();
        for _ in 0..3 {
            let first = reserve.take(layout(32, 1));
            let last = reserve.take(layout(32, 1));
            assert!(!first.is_null() && !last.is_null());
            assert!(reserve.take(layout(1, 1)).is_null());
            reserve.give_back(first, layout(32, 1));
            assert!(reserve.take(layout(1, 1)).is_null(), "one is in use");
            reserve.give_back(last, layout(32, 1));
        }
        assert!(reserve.take(layout(65, 1)).is_null());
        assert!(reserve.take(layout(isize::MAX as usize - 8, 8)).is_null());
        assert_eq!(reserve.uses.load(Ordering::Relaxed), 6);
    }

    #[test]
    fn a_block_that_grows_keeps_its_content() {
        let reserve: Reserve<256> = Reserve::new();
        let first = reserve.take(layout(4, 1));
        // SAFETY: four bytes; then sizes as they are asked for.
        unsafe {
            first.write_bytes(7, 4);
            let grown = reserve.resize(first, layout(4, 1), 8);
            assert_eq!(grown, first, "the last block grows where it is");
            grown.add(4).write_bytes(8, 4);
            let second = reserve.take(layout(4, 1));
            let moved = reserve.resize(grown, layout(8, 1), 16);
            assert!(moved != first && reserve.owns(moved));
            let content = std::slice::from_raw_parts(moved, 8);
            assert_eq!(content, [7, 7, 7, 7, 8, 8, 8, 8]);
            assert!(reserve.resize(second, layout(4, 1), 250).is_null());
            assert_eq!(reserve.resize(second, layout(4, 1), 2), second);
        }
    }

    #[test]
    fn the_block_that_was_cut_last_can_be_cut_anew() {
        let reserve: Reserve<64> = Reserve::new();
        let _first = reserve.take(layout(16, 1));
        for _ in 0..3 {
            let last = reserve.take(layout(48, 1));
            assert!(!last.is_null());
            reserve.give_back(last, layout(48, 1));
        }
    }

    #[test]
    fn threads_that_take_and_give_back_at_once_leave_it_empty() {
        let reserve: Reserve<1024> = Reserve::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let block = reserve.take(layout(48, 16));
                        if !block.is_null() {
                            reserve.give_back(block, layout(48, 16));
                        }
                    }
                });
            }
        });
        assert_eq!(reserve.taken.load(Ordering::Relaxed), 0);
    }
}
