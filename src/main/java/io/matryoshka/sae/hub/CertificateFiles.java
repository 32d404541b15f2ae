package io.matryoshka.sae.hub;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Certificate authorities that the environment names for other clients of the Hub, in files of PEM
 * form: they are trusted beside those of the JVM.
 */
final class CertificateFiles {
  private static final Logger LOG = LoggerFactory.getLogger(CertificateFiles.class);
  private static final Pattern CERTIFICATE =
      Pattern.compile(
          "-----BEGIN (?:TRUSTED )?CERTIFICATE-----([A-Za-z0-9+/=\\s]+)-----END (?:TRUSTED )?CERTIFICATE-----");

  private CertificateFiles() {}

  /**
   * Returns the context of TLS connections.
   *
   * @param files files, or folders of files
   * @return the context; empty where the files add no authority to those of the JVM
   */
  static Optional<SSLContext> context(List<Path> files) {
    List<Certificate> added = files.stream().flatMap(file -> read(file).stream()).toList();
    if (added.isEmpty()) {
      return Optional.empty();
    }
    try {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      int count = 0;
      for (Certificate certificate : ofJvm()) {
        store.setCertificateEntry("jvm-" + count++, certificate);
      }
      for (Certificate certificate : added) {
        store.setCertificateEntry("added-" + count++, certificate);
      }
      TrustManagerFactory managers = managers();
      managers.init(store);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, managers.getTrustManagers(), null);
      return Optional.of(context);
    } catch (GeneralSecurityException | IOException e) {
      LOG.warn("The certificates of {} cannot be used: {}", files, Problems.describe(e));
      return Optional.empty();
    }
  }

  private static List<X509Certificate> ofJvm() throws GeneralSecurityException {
    TrustManagerFactory managers = managers();
    managers.init((KeyStore) null);
    List<X509Certificate> issuers = new ArrayList<>();
    for (TrustManager manager : managers.getTrustManagers()) {
      if (manager instanceof X509TrustManager x509) {
        issuers.addAll(List.of(x509.getAcceptedIssuers()));
      }
    }
    return issuers;
  }

  private static TrustManagerFactory managers() throws GeneralSecurityException {
    return TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
  }

  private static List<Certificate> read(Path path) {
    try {
      if (Files.isDirectory(path)) {
        try (Stream<Path> files = Files.list(path)) {
          return files
              .filter(Files::isRegularFile)
              .sorted()
              .flatMap(file -> read(file).stream())
              .distinct()
              .toList();
        }
      }
      List<Certificate> found = parse(Files.readString(path, StandardCharsets.ISO_8859_1));
      if (found.isEmpty()) {
        LOG.debug("{} holds no certificates in PEM form", path);
      }
      return found;
    } catch (IOException | CertificateException e) {
      LOG.warn(
          "The certificates of {} cannot be read: {}; SSL_CERT_FILE, REQUESTS_CA_BUNDLE,"
              + " CURL_CA_BUNDLE or SSL_CERT_DIR names this file, see which; those of Java alone are"
              + " trusted",
          path,
          Problems.describe(e));
      return List.of();
    }
  }

  private static List<Certificate> parse(String pem) throws CertificateException {
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    List<Certificate> found = new ArrayList<>();
    Matcher blocks = CERTIFICATE.matcher(pem);
    while (blocks.find()) {
      byte[] bytes = Base64.getMimeDecoder().decode(blocks.group(1));
      try {
        found.add(factory.generateCertificate(new ByteArrayInputStream(bytes)));
      } catch (CertificateException e) {
        LOG.debug("A certificate of a kind that Java does not read is left out", e);
      }
    }
    return found;
  }
}
