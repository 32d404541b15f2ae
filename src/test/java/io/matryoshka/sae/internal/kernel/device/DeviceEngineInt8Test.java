package io.matryoshka.sae.internal.kernel.device;

/** The engine of accelerators where int8 products screen every block. */
class DeviceEngineInt8Test extends DeviceEngineCases {

  @Override
  long int8From() {
    return 0;
  }
}
