package io.matryoshka.sae.labels;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/** Lists the files of a folder of a public S3 bucket, page by page (ListObjectsV2). */
final class ExportListing {

  private static final int MAX_PAGE_BYTES = 8 << 20;
  private static final int MAX_FILES = 20_000;

  private final LabelHttp http;
  private final URI bucket;
  private final String prefix;
  private final List<String> keys = new ArrayList<>();

  private ExportListing(LabelHttp http, URI bucket, String prefix) {
    this.http = http;
    this.bucket = bucket;
    this.prefix = prefix;
  }

  /** Returns the names of all files below a folder, in the order of the server. */
  static List<String> list(LabelHttp http, URI bucket, String prefix) throws IOException {
    ExportListing listing = new ExportListing(http, bucket, prefix);
    Optional<String> next = Optional.of("");
    while (next.isPresent()) {
      next = listing.page(next.get());
    }
    return listing.keys;
  }

  /** Reads one page; returns what asks for the next one. */
  private Optional<String> page(String token) throws IOException {
    String query = "?list-type=2&prefix=" + encode(prefix);
    if (!token.isEmpty()) {
      query += "&continuation-token=" + encode(token);
    }
    URI address = bucket.resolve(query);
    Optional<byte[]> xml = http.get(address, MAX_PAGE_BYTES);
    if (xml.isEmpty()) {
      return Optional.empty();
    }
    int before = keys.size();
    Optional<String> next = parse(xml.get(), address);
    if (keys.size() > MAX_FILES || (next.isPresent() && keys.size() == before)) {
      throw new LabelException(address + " lists no end of files");
    }
    return next;
  }

  private Optional<String> parse(byte[] xml, URI address) throws LabelException {
    XMLInputFactory factory = XMLInputFactory.newFactory();
    factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
    factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
    Optional<String> next = Optional.empty();
    try {
      XMLStreamReader reader = factory.createXMLStreamReader(new ByteArrayInputStream(xml));
      while (reader.hasNext()) {
        if (reader.next() == XMLStreamReader.START_ELEMENT) {
          if (reader.getLocalName().equals("Key")) {
            add(reader.getElementText(), address);
          } else if (reader.getLocalName().equals("NextContinuationToken")) {
            next = Optional.of(reader.getElementText());
          }
        }
      }
      return next;
    } catch (XMLStreamException e) {
      throw new LabelException(address + ": the list of files is not XML: " + e.getMessage(), e);
    }
  }

  private void add(String key, URI address) throws LabelException {
    if (!key.startsWith(prefix)) {
      throw new LabelException(address + ": lists '" + key + "', which was not asked for");
    }
    keys.add(key);
  }

  static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
