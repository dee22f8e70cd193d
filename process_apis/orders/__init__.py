"""Order management: order to cash, from a sales channel to an ERP and back."""
