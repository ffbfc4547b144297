//! What several send through a named pipe goes into the one input of the job, as it does through a FIFO: each piece as a
//! whole, and the input ends when the last sender has gone. One thread does all of it, as long as the process lives. It
//! takes nothing while the job has no room, so whoever sends too much waits.

use std::fs::File;
use std::io::{self, Write};
use std::os::windows::io::{AsHandle, AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use windows_sys::Win32::Foundation::{
    ERROR_IO_PENDING, ERROR_NO_DATA, ERROR_PIPE_CONNECTED, HANDLE, WAIT_FAILED, WAIT_OBJECT_0,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, PIPE_ACCESS_INBOUND, ReadFile,
};
use windows_sys::Win32::System::IO::{GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Pipes::{ConnectNamedPipe, CreatePipe, DisconnectNamedPipe};
use windows_sys::Win32::System::Threading::{
    CreateEventW, INFINITE, SetEvent, WaitForMultipleObjects, WaitForSingleObject,
};

use super::fifo::{BUFFER, is_abandoned, pipe};
use super::job_object::check;

/// So many can be connected at the same time, the supervisor that keeps the input open among them.
const MOST_SENDERS: usize = 16;

/// The one that this process serves, and its name.
static SERVED: Mutex<Option<(String, Arc<Attempt>)>> = Mutex::new(None);

/// The input of the attempt that runs; none when it has ended.
type Attempt = Mutex<Option<Input>>;

/// The writing end of it.
#[derive(Debug)]
struct Input {
    writer: Arc<File>,
    /// Before anybody has sent, nobody has gone.
    had_sender: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves an input under this name, and returns the end for the job. A further attempt in the same process takes the place
/// of the former one: whoever sends is still connected.
pub(super) fn serve(name: &str) -> io::Result<File> {
    let (reader, writer) = job_pipe()?;
    let input = Some(Input { writer: Arc::new(writer), had_sender: false });
    let mut served = lock(&SERVED);
    match &*served {
        Some((same, shared)) if same == name => *lock(shared) = input,
        _ => {
            let shared = Arc::new(Mutex::new(input));
            let first = Place::new(name, FILE_FLAG_FIRST_PIPE_INSTANCE)?;
            let further = (1..MOST_SENDERS).map(|_| Place::new(name, 0)).collect::<io::Result<Vec<_>>>()?;
            let places = std::iter::once(first).chain(further).collect();
            let relay = Relay { places, input: Arc::clone(&shared) };
            // From here on anybody can connect; the thread finds out.
            std::thread::Builder::new().name("input".into()).spawn(move || relay.run())?;
            *served = Some((name.to_owned(), shared));
        }
    }
    Ok(reader)
}

/// Makes a pipe with as much room as a FIFO has.
fn job_pipe() -> io::Result<(File, File)> {
    let (mut reader, mut writer) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the places for the two handles live, and what comes back is ours.
    unsafe {
        check(CreatePipe(&raw mut reader, &raw mut writer, ptr::null(), BUFFER))?;
        Ok((File::from_raw_handle(reader), File::from_raw_handle(writer)))
    }
}

/// All places, and where what comes there goes.
struct Relay {
    places: Vec<Place>,
    input: Arc<Attempt>,
}

impl Relay {
    fn run(mut self) {
        self.places.retain_mut(|place| place.listen().is_ok());
        while !self.places.is_empty() && sleep(&self.places) {
            // Each in turn, so that none who sends without a pause keeps the others from it.
            let input = &self.input;
            self.places.retain_mut(|place| !place.is_done() || place.go_on(input).is_ok());
            // Who has connected by now is seen by now.
            if !self.places.iter().any(|place| place.is_connected || place.is_done()) {
                let mut input = lock(&self.input);
                if input.as_ref().is_some_and(|input| input.had_sender) {
                    *input = None;
                }
            }
        }
        // The kernel may still write to what is under way.
        std::mem::forget(self.places);
    }
}

/// Where one sender can connect, with the one operation that is under way there.
struct Place {
    pipe: OwnedHandle,
    event: OwnedHandle,
    /// On the heap, where the kernel writes to them.
    operation: Box<OVERLAPPED>,
    buffer: Box<[u8]>,
    is_connected: bool,
}

// SAFETY: the raw pointers in it are used by the kernel alone, and by whoever has the place.
unsafe impl Send for Place {}

impl Place {
    fn new(name: &str, flags: u32) -> io::Result<Self> {
        let pipe = pipe(name, PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED | flags, MOST_SENDERS as u32)?;
        // SAFETY: neither attributes nor a name are given; a handle that is not null is ours.
        let event = unsafe {
            let raw = CreateEventW(ptr::null(), 1, 0, ptr::null());
            if raw.is_null() {
                return Err(io::Error::last_os_error());
            }
            OwnedHandle::from_raw_handle(raw)
        };
        let buffer = vec![0; BUFFER as usize].into_boxed_slice();
        Ok(Self { pipe, event, operation: Box::default(), buffer, is_connected: false })
    }

    /// Says whether what is under way has come to its end.
    fn is_done(&self) -> bool {
        // SAFETY: a handle that is open; it does not wait.
        unsafe { WaitForSingleObject(self.event.as_raw_handle(), 0) == WAIT_OBJECT_0 }
    }

    /// Prepares the next operation. The event is reset when it begins.
    fn prepare(&mut self) -> *mut OVERLAPPED {
        *self.operation = OVERLAPPED { hEvent: self.event.as_raw_handle(), ..Default::default() };
        &raw mut *self.operation
    }

    /// Waits for a sender, without waiting here.
    fn listen(&mut self) -> io::Result<()> {
        self.is_connected = false;
        let operation = self.prepare();
        // SAFETY: the pipe is open, and the operation lives on the heap until its event was seen.
        let error = match check(unsafe { ConnectNamedPipe(self.pipe.as_raw_handle(), operation) }) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        match error.raw_os_error().map(i32::cast_unsigned) {
            Some(ERROR_IO_PENDING) => Ok(()),
            // He was quicker, and may even have gone, leaving something to read. The operation never began.
            Some(ERROR_PIPE_CONNECTED | ERROR_NO_DATA) => {
                self.prepare();
                // SAFETY: a handle that is open.
                check(unsafe { SetEvent(self.event.as_raw_handle()) })
            }
            _ => Err(error),
        }
    }

    /// After an operation has ended: passes on what has come and begins the next.
    fn go_on(&mut self, input: &Attempt) -> io::Result<()> {
        let mut length = 0;
        // SAFETY: the pipe is open, and the operation has ended.
        let ended = check(unsafe {
            GetOverlappedResult(self.pipe.as_raw_handle(), &raw const *self.operation, &raw mut length, 0)
        });
        let was_connected = std::mem::replace(&mut self.is_connected, true);
        // Connecting brings nothing.
        let came = &self.buffer[..if was_connected && ended.is_ok() { length as usize } else { 0 }];
        let goes_on = ended.and_then(|()| pass_on(came, input)).and_then(|()| self.read());
        // Whoever still sends gets an error, since what nobody has read is thrown away.
        goes_on.or_else(|_| self.hang_up())
    }

    fn read(&mut self) -> io::Result<()> {
        let operation = self.prepare();
        let (place, length) = (self.buffer.as_mut_ptr(), self.buffer.len() as u32);
        // SAFETY: the pipe is open; the buffer and the operation live on the heap until its event was seen.
        match check(unsafe { ReadFile(self.pipe.as_raw_handle(), place, length, ptr::null_mut(), operation) }) {
            Err(error) if error.raw_os_error() != Some(ERROR_IO_PENDING.cast_signed()) => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn hang_up(&mut self) -> io::Result<()> {
        // SAFETY: the pipe is open, and nothing is under way.
        check(unsafe { DisconnectNamedPipe(self.pipe.as_raw_handle()) })?;
        self.listen()
    }
}

/// Gives something to the job, waiting until it has room; an error when it takes no input any more.
fn pass_on(bytes: &[u8], input: &Attempt) -> io::Result<()> {
    let writer = match &mut *lock(input) {
        Some(open) if !is_abandoned(open.writer.as_handle()) => {
            open.had_sender = true;
            Arc::clone(&open.writer)
        }
        _ => return Err(io::ErrorKind::BrokenPipe.into()),
    };
    (&*writer).write_all(bytes)
}

/// Sleeps until something has happened at one of the places.
fn sleep(places: &[Place]) -> bool {
    let events: Vec<HANDLE> = places.iter().map(|place| place.event.as_raw_handle()).collect();
    // SAFETY: the handles are open, and there are at most as many as can be waited for.
    unsafe { WaitForMultipleObjects(events.len() as u32, events.as_ptr(), 0, INFINITE) != WAIT_FAILED }
}
