// SPDX-License-Identifier: MPL-2.0
//! One loaded graph and its runs, without a heap allocation of ours per run.
//!
//! ort builds names, tensors and outputs anew for every run. Here the names are made once and the shapes are
//! kept, so the few calls of ONNX Runtime's C interface that a run takes are made directly, through the
//! function table and the session that ort loaded.

use std::ffi::{CStr, CString, c_char, c_void};
use std::fmt;
use std::ptr;

use ort::AsPointer;
use ort::memory::MemoryInfo;
use ort::session::Session as OrtSession;
use ort::sys::{ONNXTensorElementDataType, OrtStatusPtr, OrtValue};

use super::exit::{self, Pass};

/// One output tensor of the last run.
#[derive(Clone)]
pub(super) struct Output {
    pub shape: Vec<i64>,
    element: ONNXTensorElementDataType,
    data: *const c_void,
    len: usize,
}

/// Rust types of the tensors that models answer.
pub(super) trait Element: Copy {
    const TYPE: ONNXTensorElementDataType;
}

impl Element for f32 {
    const TYPE: ONNXTensorElementDataType =
        ONNXTensorElementDataType::ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
}

impl Element for i32 {
    const TYPE: ONNXTensorElementDataType =
        ONNXTensorElementDataType::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32;
}

impl Element for i64 {
    const TYPE: ONNXTensorElementDataType =
        ONNXTensorElementDataType::ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
}

impl Output {
    fn new() -> Self {
        Self {
            shape: Vec::new(),
            element: ONNXTensorElementDataType::ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED,
            data: ptr::null(),
            len: 0,
        }
    }

    /// The values, if they are of this type.
    pub fn values<T: Element>(&self) -> Option<&[T]> {
        if self.element != T::TYPE {
            return None;
        }
        if self.len == 0 {
            return Some(&[]);
        }
        // SAFETY: ONNX Runtime says that `data` holds `len` values of this type. They live until the value is
        // released, which takes the session mutably.
        Some(unsafe { std::slice::from_raw_parts(self.data.cast(), self.len) })
    }

    /// The element type, for messages.
    pub fn element(&self) -> impl fmt::Debug {
        self.element
    }
}

/// A loaded graph. It may run one inference at a time: hence `&mut self`.
pub(super) struct Session {
    session: OrtSession,
    memory: MemoryInfo<'static>,
    input_name: CString,
    /// Owns what `output_name_pointers` point to.
    _output_names: Vec<CString>,
    output_name_pointers: Vec<*const c_char>,
    /// The output values of the last run; null where there is none.
    values: Vec<*mut OrtValue>,
    outputs: Vec<Output>,
    /// Set while it is dropped. The last field, so that it outlives the session.
    leaving: Option<Pass>,
}

// SAFETY: the pointers are to memory that the session owns alone, and ONNX Runtime binds neither sessions nor
// values to a thread.
unsafe impl Send for Session {}

impl Session {
    /// Prepares the runs of a graph with one input.
    pub fn new(session: OrtSession) -> Result<Self, String> {
        let name = |name: &str| CString::new(name).map_err(|error| error.to_string());
        let input_name = name(session.inputs().first().map_or("", |input| input.name()))?;
        let output_names = session.outputs().iter().map(|output| name(output.name()));
        let output_names = output_names.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            memory: MemoryInfo::default(),
            input_name,
            output_name_pointers: output_names.iter().map(|name| name.as_ptr()).collect(),
            values: vec![ptr::null_mut(); output_names.len()],
            outputs: vec![Output::new(); output_names.len()],
            _output_names: output_names,
            session,
            leaving: None,
        })
    }

    /// Runs the graph on one float32 tensor; the outputs stay until [`Session::release`] or the next run.
    pub fn run(&mut self, shape: &[i64], input: &[f32]) -> Result<&[Output], String> {
        self.release();
        let count: Option<usize> = shape.iter().try_fold(1_usize, |count, &len| {
            count.checked_mul(usize::try_from(len).ok()?)
        });
        if count != Some(input.len()) {
            return Err(format!(
                "expected as many values as {shape:?} has, found {}",
                input.len()
            ));
        }
        let api = ort::api();
        let mut tensor = ptr::null_mut();
        // SAFETY: the tensor borrows `input` and `shape` and is released before this function returns. ONNX
        // Runtime does not write to inputs, so taking them from a shared slice is sound.
        check(unsafe {
            (api.CreateTensorWithDataAsOrtValue)(
                self.memory.ptr(),
                input.as_ptr().cast_mut().cast(),
                size_of_val(input),
                shape.as_ptr(),
                shape.len(),
                f32::TYPE,
                &mut tensor,
            )
        })?;
        // SAFETY: names and values are arrays of the lengths given; the names are those of this session. The
        // session runs nothing else, as it is borrowed mutably. The values were released and are null, which
        // asks ONNX Runtime to allocate them.
        let status = unsafe {
            (api.Run)(
                self.session.ptr().cast_mut(),
                ptr::null(),
                &self.input_name.as_ptr(),
                &tensor.cast_const(),
                1,
                self.output_name_pointers.as_ptr(),
                self.output_name_pointers.len(),
                self.values.as_mut_ptr(),
            )
        };
        // SAFETY: made above, released once.
        unsafe { (api.ReleaseValue)(tensor) };
        check(status)?;
        for (value, output) in self.values.iter().zip(&mut self.outputs) {
            describe(*value, output)?;
        }
        Ok(&self.outputs)
    }

    /// Gives the memory of the last run's outputs back.
    pub fn release(&mut self) {
        for (value, output) in self.values.iter_mut().zip(&mut self.outputs) {
            (output.data, output.len) = (ptr::null(), 0);
            let value = std::mem::replace(value, ptr::null_mut());
            if !value.is_null() {
                // SAFETY: a value that a run made; nothing points to it any more.
                unsafe { (ort::api().ReleaseValue)(value) };
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.leaving = exit::pass().ok();
        match self.leaving {
            Some(_) => self.release(),
            // ONNX Runtime may be unloaded already; or this is a forked child, where the session would wait for
            // threads that do not exist.
            None => std::mem::forget(self.session.inner()),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// Writes shape, type and place of an output value to `output`.
fn describe(value: *mut OrtValue, output: &mut Output) -> Result<(), String> {
    let api = ort::api();
    let mut info = ptr::null_mut();
    // SAFETY: a value that ONNX Runtime has just made. For values that are no tensors it answers an error.
    check(unsafe { (api.GetTensorTypeAndShape)(value, &mut info) })?;
    // SAFETY: `info` is released below, after the last use; the shape has room for all dimensions.
    let read = unsafe {
        let mut dimensions = 0;
        check((api.GetDimensionsCount)(info, &mut dimensions))
            .and_then(|()| {
                output.shape.clear();
                output.shape.resize(dimensions, 0);
                let shape = output.shape.as_mut_ptr();
                check((api.GetDimensions)(info, shape, dimensions))
            })
            .and_then(|()| check((api.GetTensorShapeElementCount)(info, &mut output.len)))
            .and_then(|()| check((api.GetTensorElementType)(info, &mut output.element)))
    };
    // SAFETY: made above, released once.
    unsafe { (api.ReleaseTensorTypeAndShapeInfo)(info) };
    read?;
    let mut data = ptr::null_mut();
    // SAFETY: the value is a tensor: it has a shape.
    check(unsafe { (api.GetTensorMutableData)(value, &mut data) })?;
    output.data = data;
    Ok(())
}

/// The message of a status that is an error; the status is released.
fn check(status: OrtStatusPtr) -> Result<(), String> {
    if status.0.is_null() {
        return Ok(());
    }
    let api = ort::api();
    // SAFETY: a status that is not null is an error, with a message, and ours to release.
    unsafe {
        let message = CStr::from_ptr((api.GetErrorMessage)(status.0));
        let message = message.to_string_lossy().into_owned();
        (api.ReleaseStatus)(status.0);
        Err(message)
    }
}
