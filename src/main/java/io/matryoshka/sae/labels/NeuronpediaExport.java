package io.matryoshka.sae.labels;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/** Fetches all explanations of an SAE from Neuronpedia's public exports, file after file. */
final class NeuronpediaExport {

  private static final int MAX_FILE_BYTES = 64 << 20;
  private static final long MAX_UNPACKED_BYTES = 512L << 20;

  private final LabelHttp http;
  private final URI bucket;

  NeuronpediaExport(LabelHttp http, URI bucket) {
    this.http = http;
    this.bucket = bucket;
  }

  /**
   * Writes the labels of an SAE to a file.
   *
   * @param id the name of the SAE, as {@code model/sae}
   * @return whether there are any; the file is written only then
   */
  boolean fetch(String id, Path target) throws IOException {
    List<String> files = ExportListing.list(http, bucket, "v1/" + id + "/explanations/");
    try (LabelStoreWriter writer = new LabelStoreWriter(target)) {
      for (String file : files) {
        if (file.endsWith(".jsonl.gz")) {
          add(file, writer);
        }
      }
      if (writer.labels() > 0) {
        writer.finish();
      }
      return writer.labels() > 0;
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private void add(String file, LabelStoreWriter writer) throws IOException {
    URI address = bucket.resolve(ExportListing.encode(file).replace("%2F", "/"));
    byte[] packed =
        http.get(address, MAX_FILE_BYTES)
            .orElseThrow(() -> new LabelException(address + " is listed but missing"));
    try (InputStream lines =
        new BoundedStream(
            new GZIPInputStream(new ByteArrayInputStream(packed)),
            MAX_UNPACKED_BYTES,
            address.toString())) {
      ExplanationParser.parse(
          lines,
          address.toString(),
          label -> {
            try {
              writer.add(label);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    } catch (ZipException | EOFException e) {
      throw new LabelException(address + ": is damaged: " + e.getMessage(), e);
    }
  }
}
