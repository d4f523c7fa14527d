/**
 * The last that a guest does. The kernel's farewell does not wait for its turn on the console, so it would come into the middle of what is
 * still on its way there: setting anything of a terminal waits until that is sent.
 */
export const powerOffScript = `stty -echo < /dev/ttyS0
poweroff -f
`;
