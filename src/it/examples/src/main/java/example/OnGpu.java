package example;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.matryoshka.sae.DeviceLatents;
import io.matryoshka.sae.LoadOptions;
import io.matryoshka.sae.SAE;

/** Encodes and decodes on a GPU; results stay there until they are asked for. */
public final class OnGpu {

  public static void main(String[] args) throws Exception {
    if (Engine.getInstance().getGpuCount() == 0) {
      System.out.println("no GPU, or no CUDA build of libtorch on the class path");
      return;
    }
    LoadOptions options = LoadOptions.defaults().device(Device.gpu());
    try (SAE sae = SAE.fromPretrained("all-minilm-l6-v2-matryoshka-demo", "last_hidden_state", options);
        NDManager manager = NDManager.newBaseManager(Device.gpu())) {
      NDArray x = manager.randomNormal(new Shape(4096, sae.dIn()));
      DeviceLatents latents = sae.encodeOnDevice(x);
      NDArray reconstruction = sae.decode(latents);
      System.out.println(reconstruction.getShape() + " on " + reconstruction.getDevice());
      System.out.println(latents.toHost().activeCount(0) + " latents of the first row are active");
    }
  }
}
