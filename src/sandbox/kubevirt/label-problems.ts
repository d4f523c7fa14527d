const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const dnsSubdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const longestLabel = 63;

/** What Kubernetes says of a text that is to be a DNS label: names of disks and hosts are held against it. */
export function labelProblems(text: string): readonly string[] {
  const problems: string[] = [];
  if (text.length > longestLabel) problems.push(`must be no more than ${longestLabel} characters`);
  if (dnsLabel.test(text)) return problems;
  if (dnsSubdomain.test(text)) return [...problems, 'must not contain dots'];
  return [
    ...problems,
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an " +
      "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ];
}
