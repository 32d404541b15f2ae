package io.matryoshka.sae;

/** A whole SAE on the engine of accelerators, where every call is small. */
class AcceleratorFloat32Test extends AcceleratorCases {

  @Override
  LoadOptions accelerator() {
    return LoadOptions.defaults().withAcceleratorEngine(Long.MAX_VALUE);
  }
}
