package io.matryoshka.sae.internal.kernel.device;

/** The engine of accelerators where float32 products screen every block. */
class DeviceEngineFloat32Test extends DeviceEngineCases {

  @Override
  long int8From() {
    return Long.MAX_VALUE;
  }
}
