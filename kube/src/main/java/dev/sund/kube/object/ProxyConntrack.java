package dev.sund.kube.object;

import dev.sund.engine.cluster.ConntrackSettings;
import java.time.Duration;

/** {@code conntrack} of a KubeProxyConfiguration: what is null is kube-proxy's default. */
final class ProxyConntrack {
  private ProxyConntrack() {}

  static ConntrackSettings read(Field field) {
    ConntrackSettings otherwise = ConntrackSettings.DEFAULT;
    return new ConntrackSettings(
        field.at("maxPerCore").number(0, Integer.MAX_VALUE).orElse(otherwise.maxPerCore()),
        field.at("min").number(0, Integer.MAX_VALUE).orElse(otherwise.min()),
        time(field.at("tcpEstablishedTimeout"), otherwise.tcpEstablished()),
        time(field.at("tcpCloseWaitTimeout"), otherwise.tcpCloseWait()),
        field.at("tcpBeLiberal").truth(otherwise.tcpBeLiberal()),
        time(field.at("udpTimeout"), otherwise.udp()),
        time(field.at("udpStreamTimeout"), otherwise.udpStream()));
  }

  private static Duration time(Field field, Duration otherwise) {
    Duration time = ProxyConfigParser.time(field, otherwise);
    if (time.toSeconds() > Integer.MAX_VALUE) {
      field.invalid("it is longer than the kernel can count in seconds.", "Write 596523h or less.");
      return otherwise;
    }
    return time;
  }
}
