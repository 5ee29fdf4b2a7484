// SPDX-License-Identifier: MPL-2.0
//! What runs the networks: the CPU, or an execution provider that the ONNX Runtime library was built with.

use std::path::Path;

use ort::ep::{
    CPU, CUDA, ExecutionProvider as Provider, ExecutionProviderDispatch, MIGraphX, OpenVINO,
    TensorRT, XNNPACK,
};

use crate::estimator::choices::choices;

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
    /// ONNX Runtime's name of it, and whether the library was built with it.
    fn availability(self) -> (&'static str, bool) {
        fn of<P: Provider>() -> (&'static str, bool) {
            (P::NAME, P::is_available().unwrap_or_default())
        }
        match self {
            Self::Auto | Self::Cpu => of::<CPU>(),
            Self::Cuda => of::<CUDA>(),
            Self::TensorRt => of::<TensorRT>(),
            Self::OpenVino => of::<OpenVINO>(),
            Self::MiGraphX => of::<MIGraphX>(),
            Self::Xnnpack => of::<XNNPACK>(),
        }
    }

    /// The error says what the library has instead of this provider.
    pub(super) fn check_available(self) -> Result<(), String> {
        if self.availability().1 {
            return Ok(());
        }
        use ExecutionProvider::{Cpu, Cuda, MiGraphX, OpenVino, TensorRt, Xnnpack};
        let all = [Cpu, Cuda, TensorRt, OpenVino, MiGraphX, Xnnpack].map(Self::availability);
        let available = all.into_iter().filter(|(_, is_available)| *is_available);
        let names: Vec<_> = available.map(|(name, _)| name).collect();
        Err(format!(
            "a library built with the {} only",
            names.join(", ")
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
