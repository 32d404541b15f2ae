package io.matryoshka.sae;

/** A whole SAE on the engine of accelerators, where int8 products screen every call. */
class AcceleratorInt8Test extends AcceleratorCases {

  @Override
  LoadOptions accelerator() {
    return LoadOptions.defaults().withAcceleratorEngine(0);
  }
}
