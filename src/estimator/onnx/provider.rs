// SPDX-License-Identifier: MPL-2.0
//! What runs the networks: the CPU, or an execution provider that the ONNX Runtime library was built with.

use std::path::Path;
use std::ptr;

use crate::estimator::choices::choices;
use ort::ep::{CUDA, ExecutionProviderDispatch, MIGraphX, OpenVINO, TensorRT, XNNPACK};

choices! {
    /// An execution provider. The ONNX Runtime library that is loaded decides which ones there are.
    pub enum ExecutionProvider in execution_providers {
        Auto, "auto", "CUDA if it is there and works, else the CPU";
        #[default]
        Cpu, "cpu", "The CPU";
        Cuda, "cuda", "NVIDIA CUDA";
        TensorRt, "tensorrt", "NVIDIA TensorRT";
        OpenVino, "openvino", "Intel OpenVINO";
        MiGraphX, "migraphx", "AMD MIGraphX";
        Xnnpack, "xnnpack", "XNNPACK, for Arm and mobile CPUs";
    }
}

impl ExecutionProvider {
    /// The providers to try, the best first.
    pub(super) fn candidates(self) -> &'static [Self] {
        match self {
            Self::Auto => &[Self::Cuda, Self::Cpu],
            Self::Cpu => &[Self::Cpu],
            Self::Cuda => &[Self::Cuda],
            Self::TensorRt => &[Self::TensorRt],
            Self::OpenVino => &[Self::OpenVino],
            Self::MiGraphX => &[Self::MiGraphX],
            Self::Xnnpack => &[Self::Xnnpack],
        }
    }

    /// ONNX Runtime's name of it.
    fn long_name(self) -> &'static str {
        match self {
            Self::Auto | Self::Cpu => "CPUExecutionProvider",
            Self::Cuda => "CUDAExecutionProvider",
            Self::TensorRt => "TensorrtExecutionProvider",
            Self::OpenVino => "OpenVINOExecutionProvider",
            Self::MiGraphX => "MIGraphXExecutionProvider",
            Self::Xnnpack => "XnnpackExecutionProvider",
        }
    }

    /// The error says what the library has instead of this provider.
    pub(super) fn check_available(self) -> Result<(), String> {
        let available = available();
        if available.iter().any(|name| name == self.long_name()) {
            return Ok(());
        }
        Err(format!(
            "a library built with the {} only",
            available.join(", ")
        ))
    }

    /// For ort's session builder; `None` for the CPU, which is always there.
    pub(super) fn dispatch(
        self,
        device: u32,
        cache: Option<&Path>,
    ) -> Option<ExecutionProviderDispatch> {
        let id = i32::try_from(device).unwrap_or(i32::MAX);
        let cache = cache.map(|folder| folder.display().to_string());
        let provider = match self {
            Self::Auto | Self::Cpu => return None,
            Self::Cuda => CUDA::default().with_device_id(id).build(),
            Self::TensorRt => {
                let provider = TensorRT::default().with_device_id(id);
                match cache {
                    Some(folder) => provider
                        .with_engine_cache(true)
                        .with_engine_cache_path(&folder)
                        .with_timing_cache(true)
                        .with_timing_cache_path(&folder),
                    None => provider,
                }
                .build()
            }
            Self::OpenVino => {
                let provider = OpenVINO::default();
                match cache {
                    Some(folder) => provider.with_cache_dir(folder),
                    None => provider,
                }
                .build()
            }
            Self::MiGraphX => MIGraphX::default().with_device_id(id).build(),
            Self::Xnnpack => XNNPACK::default().build(),
        };
        Some(provider.error_on_failure())
    }
}

/// ONNX Runtime's names of the providers that the library was built with.
fn available() -> Vec<String> {
    let api = ort::api();
    let (mut names, mut count) = (ptr::null_mut(), 0);
    // SAFETY: on success ONNX Runtime gives an array of `count` C strings, which is given back to it once.
    unsafe {
        let status = (api.GetAvailableProviders)(&mut names, &mut count);
        if !status.0.is_null() {
            (api.ReleaseStatus)(status.0);
            return Vec::new();
        }
        let length = usize::try_from(count).unwrap_or(0);
        let text = |index: usize| {
            let name = std::ffi::CStr::from_ptr(*names.add(index));
            name.to_string_lossy().into_owned()
        };
        let texts = (0..length).map(text).collect();
        let status = (api.ReleaseAvailableProviders)(names, count);
        if !status.0.is_null() {
            (api.ReleaseStatus)(status.0);
        }
        texts
    }
}
