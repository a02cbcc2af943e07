package dev.sund.doctor.cluster;

import dev.sund.doctor.Facts;
import dev.sund.doctor.UnreadException;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.ConfigException;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.api.Kubeconfig;
import dev.sund.kube.manifest.Finding;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.model.Condition;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Tells the fact {@value dev.sund.doctor.Facts#CLUSTER}: of manifests, or asked of an API server by
 * lists alone, once. What it needs to be allowed is in {@code deploy/doctor-rbac.yaml}. One thread.
 */
public final class ClusterFacts implements Facts {
  private static final String RENEW =
      "Make the kubeconfig anew: kubeadm kubeconfig user, or the provider's login.";

  private final Source source;
  private @Nullable String text;
  private @Nullable UnreadException failure;

  /** Reads the objects. */
  @FunctionalInterface
  private interface Source {
    String read() throws UnreadException;
  }

  private ClusterFacts(Source source) {
    this.source = source;
  }

  /**
   * Those of files and folders.
   *
   * @param paths as {@link ManifestFiles} takes them
   * @param standardInput read when {@code -} is among them
   */
  public static ClusterFacts ofFiles(List<String> paths, InputStream standardInput) {
    return new ClusterFacts(() -> files(paths, standardInput));
  }

  /**
   * Those that an API server has.
   *
   * @param kubeconfig how to reach it
   * @param environment of the process, for programs that give tokens
   * @param patience how long the server may say nothing
   */
  public static ClusterFacts ofServer(
      Path kubeconfig, Map<String, String> environment, Duration patience) {
    return new ClusterFacts(() -> server(kubeconfig, environment, patience));
  }

  @Override
  public String tell(String name) throws UnreadException {
    if (failure != null) {
      throw failure;
    }
    if (text == null) {
      try {
        text = source.read();
      } catch (UnreadException e) {
        failure = e;
        throw e;
      }
    }
    return text;
  }

  private static String files(List<String> paths, InputStream standardInput)
      throws UnreadException {
    ClusterObjects objects = new ClusterObjects();
    List<Finding> findings = ManifestFiles.read(paths, standardInput, objects).findings();
    for (Finding finding : findings) {
      if (finding.isError() && finding.condition().object().kind().equals("File")) {
        throw new UnreadException(
            finding.file()
                + (finding.line() > 0 ? ":" + finding.line() : "")
                + ": "
                + (finding.condition().field().isEmpty() ? "" : finding.condition().field() + ": ")
                + ended(finding.condition().text()),
            finding.condition().remedy());
      }
    }
    if (objects.isEmpty()) {
      throw new UnreadException(
          String.join(", ", paths) + " holds no nodes, Services, pods or pools",
          "Write them by kubectl get nodes,ns,pods,svc,endpointslices,networkpolicies -A -o yaml.");
    }
    return ClusterText.of(objects, "files", OptionalLong.empty());
  }

  private static String server(Path kubeconfig, Map<String, String> environment, Duration patience)
      throws UnreadException {
    ApiServer server;
    try {
      server = Kubeconfig.read(kubeconfig, List.of(), environment);
    } catch (ConfigException e) {
      Condition why = e.condition();
      throw new UnreadException(
          why.object().name()
              + (why.field().isEmpty() ? "" : " " + why.field())
              + ": "
              + ended(why.text()),
          why.remedy());
    }
    ClusterObjects objects = new ClusterObjects();
    try (ApiObjects api = new ApiObjects(server, Dialer.HERE, patience)) {
      objects.takeAll(api);
    } catch (ApiRefusal e) {
      throw refused(server, kubeconfig, e);
    } catch (IOException e) {
      throw unanswered(server, kubeconfig, e);
    }
    return ClusterText.of(objects, "kubeconfig", OptionalLong.of(Instant.now().getEpochSecond()));
  }

  private static UnreadException refused(ApiServer server, Path kubeconfig, ApiRefusal e) {
    if (e.code() == 401) {
      String shown = ClientCertificate.fault(kubeconfig, Instant.now());
      return new UnreadException(
          "the API server " + server + " does not know who asks (401)" + shown, RENEW);
    }
    return new UnreadException(
        "the API server " + server + ": " + ended(String.valueOf(e.getMessage())),
        "Look at the server.");
  }

  private static UnreadException unanswered(ApiServer server, Path kubeconfig, IOException e) {
    String shown = ClientCertificate.fault(kubeconfig, Instant.now());
    if (!shown.isEmpty()) {
      return new UnreadException(
          "the API server " + server + " does not take the connection" + shown, RENEW);
    }
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof CertificateExpiredException
          || cause instanceof CertificateNotYetValidException) {
        return new UnreadException(
            "the API server "
                + server
                + " shows a certificate that "
                + (cause instanceof CertificateExpiredException
                    ? "has expired"
                    : "is not valid yet")
                + ": "
                + cause.getMessage(),
            "kubeadm certs renew all on the control plane; look at this machine's clock, too.");
      }
    }
    return new UnreadException(
        "the API server " + server + " cannot be read: " + ended(String.valueOf(e.getMessage())),
        "Check the kubeconfig and the way to the server.");
  }

  /** Without its full stop. */
  private static String ended(String sentence) {
    return sentence.endsWith(".") ? sentence.substring(0, sentence.length() - 1) : sentence;
  }
}
