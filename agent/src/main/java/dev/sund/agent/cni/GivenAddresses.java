package dev.sund.agent.cni;

import dev.sund.agent.cni.CniException.Code;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Addresses that somebody else has chosen and hands over with each ADD. */
final class GivenAddresses implements AddressSource {
  @Override
  public List<Ip> assign(CniRequest request, PodKey pod, Map<String, String> annotations)
      throws CniException {
    List<InterfaceAddress> given = request.config().runtime().addresses();
    if (given.isEmpty()) {
      throw new CniException(
          Code.INVALID_CONFIG,
          "runtimeConfig.ips is missing or empty: pod " + pod + " has no address.",
          "Set the capability \"ips\" in the plugin's configuration and pass the pod's addresses.");
    }
    List<Ip> addresses = new ArrayList<>();
    for (InterfaceAddress address : given) {
      Ip ip = address.ip();
      if (addresses.stream().anyMatch(other -> other.family() == ip.family())) {
        throw new CniException(
            Code.INVALID_CONFIG,
            "runtimeConfig.ips has two addresses of one family: " + ip + ".",
            "Pass at most one IPv4 and one IPv6 address.");
      }
      addresses.add(ip);
    }
    return addresses;
  }

  @Override
  public void release(String attachmentKey) {}

  @Override
  public void keepOnly(Set<String> attachmentKeys) {}

  @Override
  public void status(CniRequest request) {}
}
