package dev.sund.doctor.cluster;

import static dev.sund.doctor.cluster.ClusterObjects.items;
import static dev.sund.doctor.cluster.ClusterObjects.text;

import dev.sund.kube.tree.Tree;
import dev.sund.kube.tree.YamlTrees;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Base64;
import java.util.Optional;

/** The certificate that a kubeconfig shows: why a server may not know who asks. */
final class ClientCertificate {
  private ClientCertificate() {}

  /**
   * What is wrong with it, to be put behind a sentence; empty when nothing is, or there is none.
   */
  static String fault(Path kubeconfig, Instant now) {
    try {
      Optional<X509Certificate> shown = read(kubeconfig);
      if (shown.isPresent() && shown.get().getNotAfter().toInstant().isBefore(now)) {
        return ": the certificate in "
            + kubeconfig
            + " expired on "
            + shown.get().getNotAfter().toInstant();
      }
      return "";
    } catch (IOException | CertificateException | IllegalArgumentException _) {
      return ""; // the refusal says what there is to say
    }
  }

  private static Optional<X509Certificate> read(Path kubeconfig)
      throws IOException, CertificateException {
    for (Tree document : YamlTrees.documents(Files.readString(kubeconfig))) {
      if (document instanceof Tree.Mapping whole) {
        String context = text(whole, "current-context");
        String user =
            items(whole, "contexts").stream()
                .filter(one -> text(one, "name").equals(context))
                .map(one -> text(one, "context", "user"))
                .findFirst()
                .orElse("");
        for (Tree.Mapping one : items(whole, "users")) {
          if (text(one, "name").equals(user)) {
            return certificate(kubeconfig, one);
          }
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<X509Certificate> certificate(Path kubeconfig, Tree.Mapping user)
      throws IOException, CertificateException {
    String data = text(user, "user", "client-certificate-data");
    String file = text(user, "user", "client-certificate");
    byte[] pem;
    if (!data.isEmpty()) {
      pem = Base64.getMimeDecoder().decode(data);
    } else if (!file.isEmpty()) {
      pem = Files.readAllBytes(kubeconfig.resolveSibling(file));
    } else {
      return Optional.empty();
    }
    return CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(pem))
            instanceof X509Certificate one
        ? Optional.of(one)
        : Optional.empty();
  }
}
