package dev.sund.kube.api;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import javax.net.ssl.SSLContext;

/**
 * The TLS context that PEM texts mean, made anew when one of their files has changed: certificates
 * are rotated while agents run. While the new files cannot be used, as in the moment between the
 * writing of a certificate and of its key, the last good context goes on being used.
 */
final class TlsFiles implements ApiServer.Tls {
  private final Optional<Source> authorities;
  private final Optional<Source> certificate;
  private final Optional<Source> key;
  private final ReentrantLock lock = new ReentrantLock();
  private Texts last;
  private SSLContext context;

  /** A PEM text: one that stays, or what a file holds. */
  @FunctionalInterface
  interface Source {
    String text() throws IOException;

    static Source of(Path file) {
      return () -> Files.readString(file);
    }
  }

  private record Texts(
      Optional<String> authorities, Optional<String> certificate, Optional<String> key) {}

  private TlsFiles(Optional<Source> authorities, Optional<Source> certificate, Optional<Source> key)
      throws IOException, GeneralSecurityException {
    this.authorities = authorities;
    this.certificate = certificate;
    this.key = key;
    last = read();
    context = Pem.context(last.authorities, last.certificate, last.key);
  }

  /**
   * Reads everything once.
   *
   * @param authorities whom to trust; empty: those of the JDK
   * @param certificate what to show; with its key or not at all
   * @throws IOException when a file cannot be read
   * @throws GeneralSecurityException when a text is no certificate or key
   */
  static TlsFiles open(
      Optional<Source> authorities, Optional<Source> certificate, Optional<Source> key)
      throws IOException, GeneralSecurityException {
    return new TlsFiles(authorities, certificate, key);
  }

  @Override
  public SSLContext context() {
    lock.lock();
    try {
      Texts now = read();
      if (!now.equals(last)) {
        context = Pem.context(now.authorities, now.certificate, now.key);
        last = now;
      }
    } catch (IOException | GeneralSecurityException _) {
      // Being written, or spoilt: the last good one is as good as it was, and the server judges it.
    } finally {
      lock.unlock();
    }
    return context;
  }

  private Texts read() throws IOException {
    return new Texts(text(authorities), text(certificate), text(key));
  }

  private static Optional<String> text(Optional<Source> source) throws IOException {
    return source.isPresent() ? Optional.of(source.get().text()) : Optional.empty();
  }
}
