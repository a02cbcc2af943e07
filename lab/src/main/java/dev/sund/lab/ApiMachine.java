package dev.sund.lab;

import dev.sund.kernel.NetNs;
import dev.sund.kube.api.Kubeconfig;
import dev.sund.lab.api.LabApi;
import dev.sund.lab.api.LabAuthority;
import dev.sund.lab.api.Rbac;
import dev.sund.lab.api.Subject;
import dev.sund.lab.scene.Scene;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/**
 * The machine of a cluster's API server: the server itself with its authority, over TLS at the
 * machine's addresses, and for people at an address of their own machine's loopback.
 */
public final class ApiMachine implements AutoCloseable {
  /** Where the server listens on its machine. */
  public static final int PORT = 6443;

  private static final int BACKLOG = 1024;

  private final LabApi api = new LabApi(InstantSource.system());
  private final LabAuthority authority = new LabAuthority(Instant.now());
  private final List<Ip> addresses;

  private ApiMachine(List<Ip> addresses) {
    this.addresses = List.copyOf(addresses);
  }

  /**
   * Starts the server of a scene, without objects.
   *
   * @param namespace the machine's
   * @param deploy the folder of the manifests that are shipped: agents may what {@code rbac.yaml}
   *     says, and the definitions in {@code crds} are known; empty: agents may do everything
   */
  public static ApiMachine start(Scene scene, NetNs namespace, Optional<Path> deploy)
      throws IOException {
    ApiMachine machine = new ApiMachine(scene.addresses(Scene.API));
    try {
      if (deploy.isPresent()) {
        machine.api.allow(Rbac.read(deploy.get().resolve("rbac.yaml")));
        machine.api.define(deploy.get().resolve("crds"));
        machine.api.apply(deploy.get().resolve("lease.yaml"));
      }
      SSLContext tls = machine.authority.server(List.of("kubernetes"), machine.addresses);
      for (Ip ip : machine.addresses) {
        InetSocketAddress address =
            new InetSocketAddress(InetAddress.getByAddress(ip.toBytes()), PORT);
        // The socket keeps the namespace it is opened in; connections are taken elsewhere.
        ServerSocket listener =
            namespace.<ServerSocket, IOException>call(() -> {
              ServerSocket socket = new ServerSocket();
              socket.bind(address, BACKLOG);
              return socket;
            });
        machine.api.serve(listener, tls);
      }
      return machine;
    } catch (IOException | RuntimeException e) {
      machine.close();
      throw e;
    }
  }

  /** The server. */
  public LabApi api() {
    return api;
  }

  /** Writes the kubeconfig of a node's agent, which speaks the address family of its node. */
  public void writeAgentConfig(Path file, Family family, String token) throws IOException {
    api.token(token, Subject.serviceAccount("kube-system", "sund-agent"));
    Ip server = addresses.stream().filter(ip -> ip.family() == family).findFirst().orElseThrow();
    String host = family == Family.V4 ? server.toString() : "[" + server + "]";
    write(file, "https://" + host + ":" + PORT, token);
  }

  /**
   * Lets people in: listens at a free port of this machine's loopback address, and writes a
   * kubeconfig with which its owner may do everything.
   */
  void openToPeople(Path kubeconfig) throws IOException {
    ServerSocket listener = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
    Ip loopback = Ip.parse("127.0.0.1");
    api.serve(listener, authority.server(List.of("localhost"), List.of(loopback)));
    byte[] secret = new byte[16];
    new SecureRandom().nextBytes(secret);
    String token = HexFormat.of().formatHex(secret);
    api.token(token, Subject.ADMIN);
    write(kubeconfig, "https://127.0.0.1:" + listener.getLocalPort(), token);
  }

  private void write(Path file, String url, String token) throws IOException {
    Files.deleteIfExists(file);
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(file, Kubeconfig.text(url, token, Optional.of(authority.pem())));
  }

  @Override
  public void close() {
    api.close();
  }
}
