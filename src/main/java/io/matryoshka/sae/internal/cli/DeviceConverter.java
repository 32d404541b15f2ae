package io.matryoshka.sae.internal.cli;

import ai.djl.Device;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the name of a device as PyTorch users write it. */
final class DeviceConverter implements ITypeConverter<Device> {

  private static final Pattern GPU = Pattern.compile("(?:cuda|gpu)(?::(\\d{1,3}))?");

  @Override
  public Device convert(String value) {
    String name = value.toLowerCase(Locale.ROOT);
    if (name.equals("cpu")) {
      return Device.cpu();
    }
    Matcher gpu = GPU.matcher(name);
    if (!gpu.matches()) {
      throw new TypeConversionException("expected cpu, cuda or cuda:N, got '" + value + "'");
    }
    return gpu.group(1) == null ? Device.gpu() : Device.gpu(Integer.parseInt(gpu.group(1)));
  }
}
